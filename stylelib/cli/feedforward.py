"""``stylelib train``, and ``stylelib paint`` with a trained network."""

import os
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import StylelibError
from ..recipes import DEFAULT
from .interrupts import one_interrupt, take_steps
from .options import TRAINED, given_settings
from .telling import Result, check_output, save_all, say, tell, tell_losses

if TYPE_CHECKING:
    from torch import Tensor

    from ..feedforward.training import TrainingStep

# The options that matter to a trained network; training has fixed the rest.
_UNDERSTOOD = {"command", "content", "style", "output", "size", "device", "keep_colors"}
_SIZE = 512
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
    (name,) = options.style
    network = FeedForward.load(name).to(choose_device(options.device))
    photo = load_image(options.content, _SIZE if options.size is None else options.size)
    start = time.monotonic()
    picture = network.paint(photo)
    seconds = time.monotonic() - start
    record: dict[str, Any] = pictures_record(options.content, network.painting)
    record |= {"network": base_name(name), "versions": {"stylelib": __version__}}
    if options.keep_colors:
        picture, record["keep_colors"] = keep_colors(picture, photo), True
    result = Result(lambda place: save_image(picture, place, record), output, new)
    elsewhere = save_all(result)
    if result.place:
        height, width = picture.shape[-2:]
        tell(f"{result.place}: {width} x {height} pixels, in one go, in {seconds:.2g} s.")
    return elsewhere


def _check(options: Namespace) -> None:
    if len(options.style) > 1:
        raise StylelibError("A trained network paints alone: give one .pt file and no painting.")
    for name, value in vars(options).items():
        given = value is not None and (name, value) != ("recipe", DEFAULT)
        if given and name not in _UNDERSTOOD:
            raise StylelibError(
                f"--{name.replace('_', '-')} does nothing with a trained network: how it paints "
                f"was decided in training. Leave it out, or give the painting itself."
            )


def train(options: Namespace) -> int:
    """Train a network and save it, and return the exit status."""
    from ..feedforward.network import ENDINGS, FeedForward
    from ..feedforward.training import TRAINING
    from ..feedforward.training import train as training
    from ..pictures.images import load_image
    from .progress import Progress, duration

    given = [options.painting, *_files(options.photos)]
    check_output("--output", options.output, ENDINGS, given)
    recipe = TRAINING.but(**given_settings(options, TRAINED))
    painting = load_image(options.painting, recipe.style_size())
    photos = [] if options.photos is None else _photos(options.photos)
    network = FeedForward(seed=options.seed)
    network.painting = Path(options.painting).stem
    start = time.monotonic()
    steps = training(
        network,
        painting,
        photos,
        minutes=options.minutes,
        steps=options.steps,
        recipe=recipe,
        seed=options.seed,
        device=options.device,
    )
    with one_interrupt() as interrupts:
        with Progress(1.0, sys.stderr, _MEAN) as bar:

            def show(step: "TrainingStep") -> None:
                bar.show(step.share, f"step {step.iteration}", lambda: step.losses)

            done, trouble, status = take_steps(steps, show, interrupts)
        if not done:
            say("Stopped; nothing was saved.")
            return status
        result = Result(network.save, options.output)
        elsewhere = save_all(result)
        if trouble:
            say(f"{trouble} The network so far is kept." if result.place else trouble)
        if result.place:
            tell(f"{result.place}: {done} steps in {duration(time.monotonic() - start)}.")
            tell_losses(bar.first, bar.last)
            tell(f"Paint with it: stylelib paint camel {result.place}")
    return status or elsewhere


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
