"""``stylelib train``, and ``stylelib paint`` with a trained network."""

import os
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import StylelibError, pick
from ..pictures.names import is_network
from ..recipes import DEFAULT
from .interrupts import one_interrupt, take_steps
from .options import TRAINED, given_settings
from .telling import Result, check_output, save_all, say, tell, tell_losses

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ..feedforward.network import FeedForward
    from ..feedforward.training import TrainingStep

# The options that matter to a trained network; training has fixed the rest.
_UNDERSTOOD = {"command", "content", "style", "output", "size", "device", "keep_colors"}
_UNDERSTOOD |= {"style_shares"}
_SIZE = 512
_RATE, _LOWER_RATE = 1e-2, 3e-3  # of learning: a trained network would forget what it knows
_PREVIEW, _PREVIEWED = 20.0, 256  # seconds between two; pixels of a camel in it
_MEAN = 30  # steps: each paints part of a different photo, so their losses jump


def paint_at_once(options: Namespace, output: Path, given: list[str | None]) -> int:
    """Paint with a trained network, and return the exit status; see `check_output` for `given`."""
    from ..engine.devices import choose_device
    from ..feedforward.network import FeedForward
    from ..pictures.color import keep_colors
    from ..pictures.images import ENDINGS, load_image, save_image
    from ..pictures.record import base_name, pictures_record
    from ..version import __version__

    _check(options)
    new = options.output is None
    check_output("--output", output, ENDINGS, given, new)
    (name,) = filter(is_network, options.style)
    network = FeedForward.load(name).to(choose_device(options.device))
    style = _chosen(options, network.paintings)
    photo = load_image(options.content, _SIZE if options.size is None else options.size)
    start = time.monotonic()
    picture = network.paint(photo, style)
    seconds = time.monotonic() - start
    record: dict[str, Any] = pictures_record(options.content, list(style))
    record |= {"network": base_name(name), "versions": {"stylelib": __version__}}
    if len(style) > 1:
        record["style_shares"] = list(style.values())
    if options.keep_colors:
        picture, record["keep_colors"] = keep_colors(picture, photo), True
    result = Result(lambda place: save_image(picture, place, record), output, new)
    elsewhere = save_all(result)
    if result.place:
        height, width = picture.shape[-2:]
        tell(f"{result.place}: {width} x {height} pixels, in one go, in {seconds:.2g} s.")
    return elsewhere


def _check(options: Namespace) -> None:
    if sum(map(is_network, options.style)) > 1:
        raise StylelibError("Trained networks can't be blended: give one .pt file.")
    for name, value in vars(options).items():
        given = value is not None and (name, value) != ("recipe", DEFAULT)
        if given and name not in _UNDERSTOOD:
            raise StylelibError(
                f"--{name.replace('_', '-')} does nothing with a trained network: how it paints "
                f"was decided in training. Leave it out, or give the painting itself."
            )


def _chosen(options: Namespace, known: tuple[str, ...]) -> dict[str, float]:
    """The network's paintings that were named, and how much each of them counts."""
    names = [name for name in options.style if not is_network(name)]
    if not names and len(known) > 1:
        raise StylelibError(
            f"This network knows several paintings. Add one of them, or several to blend them: "
            f"{', '.join(known)}."
        )
    names = [pick(name, known, "painting in this network") for name in names] or [known[0]]
    shares = options.style_shares or [1.0] * len(names)
    if len(shares) != len(names) or len(set(names)) < len(names):
        raise StylelibError(
            "Name each painting once, and give as many --style-shares as paintings, or none."
        )
    return dict(zip(names, shares, strict=True))


def train(options: Namespace) -> int:
    """Train a network and save it, and return the exit status."""
    from ..feedforward.network import ENDINGS, FeedForward
    from ..feedforward.training import TRAINING
    from ..feedforward.training import train as training
    from ..pictures.images import ENDINGS as PICTURES
    from ..pictures.images import load_image
    from .progress import Progress, duration

    given = [*options.painting, *_files(options.photos)]
    check_output("--output", options.output, ENDINGS, given)
    if options.preview:
        check_output("--preview", options.preview, PICTURES, [*given, options.output])
    recipe = TRAINING.but(**given_settings(options, TRAINED))
    paintings = [load_image(name, recipe.style_size()) for name in options.painting]
    photos = [] if options.photos is None else _photos(options.photos)
    names = [Path(name).stem for name in options.painting]
    if options.start == "none":
        network = FeedForward(seed=options.seed, paintings=names)
    else:
        network = FeedForward.load(options.start).learning(names)
    checkpoint = options.output.with_name(f"{options.output.name}.unfinished")
    if checkpoint.exists():
        say(f"The training goes on from {checkpoint}. Delete that file to begin anew.")
    show_preview = _preview(network, options.preview) if options.preview else None
    start = time.monotonic()
    steps = training(
        network,
        paintings,
        photos,
        minutes=options.minutes,
        steps=options.steps,
        recipe=recipe,
        rate=_RATE if options.start == "none" else _LOWER_RATE,
        seed=options.seed,
        device=options.device,
        checkpoint=checkpoint,
    )
    with one_interrupt() as interrupts:
        with Progress(1.0, sys.stderr, _MEAN) as bar:

            def show(step: "TrainingStep") -> None:
                bar.show(step.share, f"step {step.iteration}", lambda: step.losses)
                if show_preview:
                    show_preview(step.share >= 1)

            done, trouble, status = take_steps(steps, show, interrupts)
            steps.close()  # it writes the checkpoint
        if not done:
            say("Stopped; nothing was saved.")
            return status
        result = Result(network.save, options.output)
        elsewhere = save_all(result)
        if trouble:
            say(f"{trouble} The network so far is kept." if result.place else trouble)
            if checkpoint.exists():
                say("The same command goes on from there.")
        if result.place:
            tell(f"{result.place}: {done} steps in {duration(time.monotonic() - start)}.")
            tell_losses(bar.first, bar.last)
            one = f" {names[0]}" if len(names) > 1 else ""
            tell(f"Paint with it: stylelib paint camel {result.place}{one}")
    return status or elsewhere


def _preview(network: "FeedForward", place: Path) -> "Callable[[bool], None]":
    """A function that saves what the camel looks like now, if the last time was a while ago."""
    from ..pictures.images import load_image, save_image

    camel = load_image("camel", _PREVIEWED)
    saved = float("-inf")

    def show(now: bool) -> None:
        nonlocal saved
        if now or time.monotonic() - saved > _PREVIEW:
            save_image(network.paint_all(camel), place)
            saved = time.monotonic()

    return show


def export(options: Namespace) -> int:
    """Export a network to ONNX, and return the exit status."""
    from ..feedforward.export import ENDINGS, export_onnx
    from ..feedforward.network import FeedForward

    check_output("OUTPUT", options.output, ENDINGS, [options.network])
    network = FeedForward.load(options.network)
    place = export_onnx(network, options.output)
    tell(f"{place}: {place.stat().st_size / 1e6:.1f} MB; it paints as {options.network} does.")
    return 0


def _files(folder: Path | None) -> list[Path]:
    """The files in a folder, but for hidden ones."""
    if folder is None:
        return []
    if not os.path.isdir(folder):
        raise StylelibError(f"There is no folder {folder}. --photos takes a folder of pictures.")
    try:
        paths = sorted(folder.iterdir())
    except PermissionError as error:
        raise StylelibError(f"{folder} may not be read. Change its permissions.") from error
    return [path for path in paths if os.path.isfile(path) and not path.name.startswith(".")]


def _photos(folder: Path) -> "list[Tensor]":
    """Every picture in a folder; other files are skipped, with a message."""
    from ..pictures.images import load_image

    photos = []
    for path in _files(folder):
        try:
            photos.append(load_image(path, 2 * _SIZE))
        except StylelibError as error:
            say(f"Skipped: {error}")
    if not photos:
        raise StylelibError(f"There is no picture in {folder}. Put some photos there.")
    return photos
