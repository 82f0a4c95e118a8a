"""The command line: ``stylelib paint``, ``train``, ``samples``, ``doctor``, ``lab``.

Nothing heavy is imported before it is needed, so that ``--help`` comes at once.
"""

import sys
import time
import warnings
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OUT_OF_MEMORY, StylelibError, is_out_of_memory, pick
from ..pictures.names import file_name
from .doctor import doctor
from .feedforward import is_network, paint_at_once, train
from .interrupts import Interrupts, one_interrupt
from .options import make_parser
from .progress import Progress, duration
from .telling import INTERRUPTED, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from ..engine.masks import Style
    from ..engine.transfer import Transfer
    from ..pictures.film import Film
    from ..recipes import Recipe

_LESSONS = "[0-9][0-9]-*.ipynb"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    int
        The exit status: 0 if all went well, 1 for an error that was told in a
        sentence, 2 for a wrong option, 130 after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console without UTF-8 must not stop a picture
            stream.reconfigure(errors="replace")
    parser = make_parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown and options.command != "lab":
        parser.error(f"there is no option {unknown[0]}")
    try:
        if options.command == "paint":
            return _paint(options)
        if options.command == "train":
            return train(options)
        if options.command == "lab":
            return _lab(unknown)
        if options.command == "samples":
            return _samples()
        if options.command == "doctor":
            return doctor()
        parser.print_help()
        return 0
    except KeyboardInterrupt:
        say("Stopped; nothing was saved.")
        return INTERRUPTED
    except (StylelibError, OSError) as error:
        say(f"stylelib: {error}")
        return 1
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        say(f"stylelib: {OUT_OF_MEMORY}")
        return 1


def _paint(options: Namespace) -> int:
    if any(is_network(style) for style in options.style):
        return paint_at_once(options, _output(options))
    from ..engine.transfer import Transfer
    from ..pictures.color import keep_colors
    from ..pictures.film import Film, check_film
    from ..pictures.images import check_output, load_image
    from ..pictures.rescue import save_somewhere

    output = check_output(_output(options))
    film = Film() if options.film else None
    if film:
        check_film(_not_given(options.film, options, "--film"))
    recipe = _recipe(options)
    content = load_image(options.content, recipe.size)
    start = time.monotonic()
    transfer = Transfer(content, _styles(options, recipe), recipe, device=options.device)
    with one_interrupt() as interrupts:
        told, trouble, status = _run(transfer, film, interrupts)
        if not told:
            say(trouble or "Nothing was painted.")
            return status
        mask = Path(options.mask).name if options.mask else None
        where = [mask, mask and f"1 - {mask}"][: len(options.style)]
        record = transfer.record(options.content, options.style, where)
        if options.keep_colors:
            record["keep_colors"] = True

        def dressed(image: "Tensor") -> "Tensor":
            return keep_colors(image, content) if options.keep_colors else image

        picture = dressed(transfer.image)
        output, lost = save_somewhere(picture, output, record, new=options.output is None)
        if trouble:
            say(f"{trouble} The picture so far is kept.")
        if lost:
            say(f"stylelib: {lost}")
        seconds = time.monotonic() - start
        _tell(transfer, output, seconds, *told)
        if film:
            film.close(transfer.iteration, transfer.image)
            lost = _save_film(map(dressed, film.pictures), options.film) or lost
    return status or int(lost is not None)


def _tell(
    transfer: "Transfer", output: Path, seconds: float,
    first: dict[str, float], last: dict[str, float],
) -> None:  # fmt: skip
    height, width = transfer.image.shape[-2:]
    print(
        f"{output}: {width} x {height} pixels, {transfer.iteration} steps in "
        f"{duration(seconds)} ({transfer.device.type})."
    )
    print(
        f"From the first step to the last, the style loss went from {first['style']:.3g} to "
        f"{last['style']:.3g}, the content loss from {first['content']:.3g} to "
        f"{last['content']:.3g}."
    )


def _save_film(pictures: "Iterable[Tensor]", path: Path) -> str | None:
    """Save it, there or elsewhere; if elsewhere, what was said of it."""
    from ..pictures.film import save_film
    from ..pictures.rescue import save_with

    shown = list(pictures)
    place, lost = save_with(lambda place: save_film(shown, place), path)
    if lost:
        say(f"stylelib: {lost}")
    print(f"{place}: a film of {len(shown)} pictures.")
    return lost


def _styles(options: Namespace, recipe: "Recipe") -> "list[Style]":
    """The paintings, the first where the mask is white, a second one where it is black."""
    from ..engine.masks import Style
    from ..pictures.images import load_image, load_mask

    paintings = [load_image(name, recipe.style_size()) for name in options.style]
    if options.mask is None:
        return [Style(painting) for painting in paintings]
    mask = load_mask(options.mask, recipe.size)
    if len(paintings) > 2:
        raise StylelibError("A mask divides the photo between two paintings; give one or two.")
    return [Style(p, where) for p, where in zip(paintings, (mask, 1 - mask), strict=False)]


def _output(options: Namespace) -> Path:
    """Where to save: never over the photo or the painting, nor, unasked, over a picture."""
    if options.output is None:
        stem = f"prettier-{Path(file_name(options.content)).stem}"
        names = [f"{stem}.png", *(f"{stem}-{n}.png" for n in range(2, 10_000))]
        return next((Path(name) for name in names if not Path(name).exists()), Path(names[0]))
    return _not_given(options.output, options, "--output")


def _not_given(path: Path, options: Namespace, option: str) -> Path:
    for given in map(Path, filter(None, [options.content, *options.style, options.mask])):
        if path.is_file() and given.is_file() and path.samefile(given):
            raise StylelibError(
                f"{option} names {given}, a picture to paint from. Choose another name."
            )
    return path


def _recipe(options: Namespace) -> "Recipe":
    from ..recipes import RECIPES, Recipe

    given = {setting.name: getattr(options, setting.name, None) for setting in fields(Recipe)}
    changes = {name: value for name, value in given.items() if value is not None}
    return RECIPES[pick(options.recipe, RECIPES, "recipe")].but(**changes)


def _run(
    transfer: "Transfer", film: "Film | None", interrupts: Interrupts
) -> tuple[list[dict[str, float]], str | None, int]:
    """Paint, and show how it goes; from its end on, nothing interrupts.

    Returns
    -------
    losses of the first and the last step (empty if there was none),
    what went wrong, in a sentence, and the exit status
    """
    bar = Progress(transfer.recipe.stages(), sys.stderr)
    told: list[dict[str, float]] = []
    trouble, status = None, 0
    try:
        if film:
            film.see(0, transfer.image)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # told below, as `stopped`
            for step in transfer:
                told = [told[0] if told else step.losses, step.losses]
                if film:
                    film.see(step.iteration, step.image)
                bar.update(step.iteration, step.losses)
        if transfer.stopped:
            trouble, status = transfer.stopped, 1
    except KeyboardInterrupt:
        trouble = f"Stopped at step {transfer.iteration} of {transfer.recipe.steps}."
        status = INTERRUPTED
    except StylelibError as error:
        if not told:
            raise
        trouble, status = str(error), 1
    finally:
        interrupts.saving = True
        bar.close()
    return told, trouble, status


def _samples() -> int:
    from ..pictures.samples import NETWORKS, SAMPLES

    width = max(len(name) for name in SAMPLES)
    for sample in SAMPLES.values():
        print(f"{sample.name:{width}}  {sample.caption}")
    print("\nTrained networks, which paint in a blink:")
    for name in NETWORKS:
        print(f"{name:{width}}  {SAMPLES[Path(name).stem].caption}")
    print("\nTry: stylelib paint camel hokusai-great-wave")
    return 0


def _lab(extra: list[str]) -> int:
    folder = _lessons()
    first = min(folder.glob(_LESSONS)).name
    from jupyterlab.labapp import main as lab  # type: ignore[import-untyped]

    options = {
        "ServerApp.root_dir": folder,
        "LabApp.default_url": f"/lab/tree/{first}",
        # Jupyter's own limit, 10 MB, cuts the connection under an upload from a good camera.
        "ServerApp.tornado_settings": {"websocket_max_message_size": 200_000_000},
    }
    lab([*(f"--{name}={value}" for name, value in options.items()), *extra])
    return 0


def _lessons() -> Path:
    """The folder of the lessons: here, or in the copy that stylelib was installed from."""
    for folder in (Path.cwd(), Path(__file__).resolve().parents[2]):
        if any((folder / "notebooks").glob(_LESSONS)):
            return folder / "notebooks"
    raise StylelibError(
        "There is no folder notebooks/ with the lessons here. Go to the folder that you got "
        "stylelib in, and try again."
    )
