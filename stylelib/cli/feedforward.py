"""``stylelib train``, and ``stylelib paint`` with a trained network."""

import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import StylelibError
from .interrupts import Interrupts, one_interrupt
from .progress import TrainingProgress, duration
from .telling import INTERRUPTED, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from ..feedforward.training import TrainingStep

# All that can be asked of a trained network; the rest was settled when it was trained.
_ASKED = {"command", "content", "style", "output", "size", "device", "keep_colors"}
_SIZE = 512


def is_network(style: str) -> bool:
    """Whether the name is a trained network's, and not a painting's."""
    return Path(style).suffix.lower() == ".pt"


def paint_at_once(options: Namespace, output: Path) -> int:
    """Paint with a trained network; the exit status."""
    from ..engine.devices import choose_device
    from ..feedforward.network import FeedForward
    from ..pictures.color import keep_colors
    from ..pictures.images import check_output, load_image
    from ..pictures.rescue import save_somewhere
    from ..version import __version__

    _check(options)
    check_output(output)
    (name,) = options.style
    network = FeedForward.load(name).to(choose_device(options.device))
    photo = load_image(options.content, _SIZE if options.size is None else options.size)
    start = time.monotonic()
    picture = network.paint(photo)
    seconds = time.monotonic() - start
    record: dict[str, Any] = {"content": Path(options.content).name, "network": Path(name).name}
    record |= {"style": network.painting, "versions": {"stylelib": __version__}}
    if options.keep_colors:
        picture, record["keep_colors"] = keep_colors(picture, photo), True
    output, lost = save_somewhere(picture, output, record, new=options.output is None)
    if lost:
        say(f"stylelib: {lost}")
    height, width = picture.shape[-2:]
    print(f"{output}: {width} x {height} pixels, in one go, in {seconds:.2g} s.")
    return int(lost is not None)


def _check(options: Namespace) -> None:
    if len(options.style) > 1:
        raise StylelibError("A trained network paints alone: give one .pt file and no painting.")
    given = [
        name
        for name, value in vars(options).items()
        if name not in _ASKED and value is not None and (name, value) != ("recipe", "default")
    ]
    if given:
        option = "--" + given[0].replace("_", "-")
        raise StylelibError(
            f"{option} does nothing with a trained network, which has settled how it paints. "
            f"Leave it out, or give the painting itself."
        )


def train(options: Namespace) -> int:
    """Train a network and save it; the exit status."""
    from ..feedforward.network import FeedForward, check_network_file
    from ..feedforward.training import TRAINING
    from ..feedforward.training import train as training
    from ..pictures.images import load_image
    from ..pictures.rescue import save_with

    output = check_network_file(options.output)
    changes = {name: getattr(options, name) for name in ("style_weight", "style_scale")}
    recipe = TRAINING.but(**{name: value for name, value in changes.items() if value is not None})
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
        bar, done, trouble, status = _run(steps, interrupts)
        if not done:
            say("Stopped; nothing was saved.")
            return status
        output, lost = save_with(network.save, output)
        if trouble:
            say(f"{trouble} The network so far is kept.")
        if lost:
            say(f"stylelib: {lost}")
        print(f"{output}: {done} steps in {duration(time.monotonic() - start)}.")
        print(
            f"From the first steps to the last, the style loss went from "
            f"{bar.first['style']:.3g} to {bar.last['style']:.3g}, the content loss from "
            f"{bar.first['content']:.3g} to {bar.last['content']:.3g}."
        )
        print(f"Paint with it: stylelib paint camel {output}")
    return status or int(lost is not None)


def _run(
    steps: "Iterator[TrainingStep]", interrupts: Interrupts
) -> tuple[TrainingProgress, int, str | None, int]:
    """Train, and show how it goes; from its end on, nothing interrupts.

    Returns
    -------
    the losses' means, the number of steps, what went wrong, and the exit status
    """
    bar, done, trouble, status = TrainingProgress(sys.stderr), 0, None, 0
    try:
        for step in steps:
            done = step.iteration
            bar.update(done, step.share, step.seconds, step.losses)
    except KeyboardInterrupt:
        trouble, status = f"Stopped at step {done}.", INTERRUPTED
    except StylelibError as error:
        if not done:
            raise
        trouble, status = str(error), 1
    finally:
        interrupts.saving = True
        bar.close()
    return bar, done, trouble, status


def _photos(folder: Path) -> "list[Tensor]":
    """Every picture in a folder; what is none is passed over, and told."""
    from ..pictures.images import load_image

    if not folder.is_dir():
        raise StylelibError(f"There is no folder {folder}. --photos takes a folder of pictures.")
    photos = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            try:
                photos.append(load_image(path, 2 * _SIZE))
            except StylelibError as error:
                say(f"Passed over: {error}")
    if not photos:
        raise StylelibError(f"There is no picture in {folder}. Put some photos there.")
    return photos
