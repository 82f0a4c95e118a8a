"""The command line: ``stylelib paint``, ``train``, ``export``, ``samples``, ``doctor``, ``lab``.

Nothing heavy is imported before it is needed, so that ``--help`` answers at once.
"""

import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OUT_OF_MEMORY, StylelibError, check_folder, is_out_of_memory, pick
from ..pictures.names import file_name, is_network
from ..pictures.record import base_name, pictures_record
from ..pictures.samples import SAMPLES
from ..recipes import DEFAULT, INITS, RECIPES, SETTINGS, Recipe
from ..version import __version__
from .doctor import doctor
from .feedforward import export, paint_at_once, train
from .interrupts import INTERRUPTED, one_interrupt, take_steps
from .lab import open_lessons
from .many import is_many, paint_many
from .options import given_settings, make_parser
from .streams import steady_streams, was_lost
from .telling import Result, check_output, save_all, say, tell, tell_losses

if TYPE_CHECKING:
    from torch import Tensor

    from ..engine.transfer import Step


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default, those that the program was started with.

    Returns
    -------
    int
        The exit status: 0 if all went well, 1 after an error, which is explained in a
        sentence, 2 for a wrong option, 130 after Ctrl-C.
    """
    with steady_streams() as output:
        status = _run(arguments)
        output.flush()
        if was_lost(output):
            reason = getattr(output.trouble, "strerror", None) or output.trouble
            say(f"stylelib: Not all that it printed could be written ({reason}).")
            status = status or 1
    return status


def _run(arguments: Sequence[str] | None) -> int:
    parser = make_parser()
    try:
        options, unknown = parser.parse_known_args(arguments)
        if unknown and options.command != "lab":
            parser.error(f"there is no option {unknown[0]}")
    except SystemExit as end:  # after the help or the version, or a mistake that it explained
        return int(end.code or 0)
    try:
        if options.command not in (None, "samples", "doctor"):
            check_folder()
        match options.command:
            case "paint":
                return _paint(options)
            case "train":
                return train(options)
            case "export":
                return export(options)
            case "samples":
                return _samples()
            case "doctor":
                return doctor()
            case "lab":
                return open_lessons(unknown)
            case "lessons":
                from .lessons import copy_lessons

                return copy_lessons(options)
            case "bundle":
                from .bundle import bundle

                return bundle(options)
            case "grade":
                from .grade import grade

                return grade(options)
        parser.print_help()
        return 0
    except KeyboardInterrupt:
        say("Stopped; nothing was saved.")
        return INTERRUPTED
    except StylelibError as error:
        say(f"stylelib: {error}")
        return 1
    except OSError as error:
        say(f"stylelib: {error.filename or 'A file'} could not be used ({error.strerror}).")
        return 1
    except (MemoryError, RuntimeError, ImportError) as error:
        if is_out_of_memory(error):
            say(f"stylelib: {OUT_OF_MEMORY}")
        elif isinstance(error, ImportError):
            why = " ".join(str(error).split())
            say(f"stylelib: A package can't be loaded ({why}). Run stylelib doctor.")
        else:
            raise
        return 1


def _paint(options: Namespace) -> int:
    if any(map(is_network, options.style)) and not is_many(options):
        return _paint_one(options, RECIPES[DEFAULT])
    _separate_start(options)
    recipe = RECIPES[pick(options.recipe, RECIPES, "recipe")].but(
        **given_settings(options, SETTINGS)
    )
    if is_many(options):
        return paint_many(options, recipe)
    if not options.style:
        raise StylelibError("Give a painting, too: a file, or a sample such as hokusai-great-wave.")
    return _paint_one(options, recipe)


def _paint_one(options: Namespace, recipe: Recipe) -> int:
    new = options.output is None
    output = options.output or Path(f"prettier-{Path(file_name(options.content)).stem}.png")
    given = [options.content, *options.style, options.mask, getattr(options, "start", None)]
    if any(is_network(style) for style in options.style):
        return paint_at_once(options, output, given)
    if options.only_colors:
        return _take_colors(options, recipe.size, output, given)
    from ..engine.masks import divide, names_of_halves
    from ..engine.transfer import Transfer
    from ..pictures import film as films
    from ..pictures.color import keep_colors
    from ..pictures.images import ENDINGS, load_image, load_mask, save_image
    from .progress import Progress, costs, duration

    check_output("--output", output, ENDINGS, given, new)
    film = None
    if options.film:
        check_output("--film", options.film, films.ENDINGS, [*given, None if new else output])
        film = films.Film()
    _refuse_without_effect(options, recipe)
    content = load_image(options.content, recipe.size)
    start = time.monotonic()
    paintings = [load_image(name, recipe.style_size()) for name in options.style]
    mask, where = None, list[str]()
    if options.mask is not None:
        mask = load_mask(options.mask, recipe.size)
        where = names_of_halves(base_name(options.mask), len(paintings))
    begin = load_image(options.start, recipe.size) if options.start else None
    transfer = Transfer(
        content, divide(paintings, mask), recipe, device=options.device, start=begin
    )
    transfer.quiet = True  # the reason for an early stop is printed below
    done_by = list(accumulate(costs(recipe)))
    with one_interrupt() as interrupts:
        if film:
            film.see(0, transfer.image)
        with Progress(done_by[-1], sys.stderr) as bar:

            def show(step: "Step") -> None:
                if film and film.due(step.iteration):
                    film.see(step.iteration, step.image)
                label = f"step {step.iteration}/{step.steps}"
                bar.show(done_by[step.iteration - 1], label, lambda: step.losses)

            done, trouble, status = take_steps(transfer, show, interrupts)
        if transfer.stopped:
            trouble, status = transfer.stopped, 1
        if not done:
            say(trouble or "Nothing was painted.")
            return status
        record = transfer.record(options.content, options.style, where)
        if options.keep_colors:
            record["keep_colors"] = True
        if options.start:
            record["start"] = base_name(options.start)

        def colored(image: "Tensor") -> "Tensor":
            return keep_colors(image, content) if options.keep_colors else image

        def save_film(place: Path) -> Path:
            assert film is not None
            film.see(transfer.iteration, transfer.image, last=True)
            return films.save_film(map(colored, film.pictures), place)

        results = [Result(lambda place: save_image(colored(transfer.image), place, record), output,
                          new)]  # fmt: skip
        if film:
            results.append(Result(save_film, options.film))
        elsewhere = save_all(*results)
        picture = results[0].place
        if trouble:
            say(f"{trouble} The picture so far is kept." if picture else trouble)
        if picture:
            height, width = transfer.image.shape[-2:]
            tell(
                f"{picture}: {width} x {height} pixels, {transfer.iteration} steps in "
                f"{duration(time.monotonic() - start)} ({transfer.device.type})."
            )
            tell_losses(bar.first, bar.last)
        if film and results[1].place:
            tell(f"{results[1].place}: a film of {films.length(results[1].place)} pictures.")
    return status or elsewhere


def _separate_start(options: Namespace) -> None:
    """Tell a picture to start from, which is no setting of the recipe, from the other ways."""
    options.start = None
    if options.init not in (None, *INITS) and (
        Path(options.init).suffix or options.init in SAMPLES
    ):
        options.start, options.init = options.init, None


def _take_colors(options: Namespace, size: int, output: Path, given: list[str | None]) -> int:
    """Give the photo the painting's colours, and return the exit status."""
    from ..pictures.color import match_colors
    from ..pictures.images import ENDINGS, load_image, save_image

    if len(options.style) > 1:
        raise StylelibError("--only-colors takes the colours of a single painting. Give one.")
    new = options.output is None
    check_output("--output", output, ENDINGS, given, new)
    picture = match_colors(load_image(options.content, size), load_image(options.style[0]))
    record = pictures_record(options.content, options.style[0])
    record |= {"only_colors": True, "versions": {"stylelib": __version__}}
    result = Result(lambda place: save_image(picture, place, record), output, new)
    elsewhere = save_all(result)
    if result.place:
        height, width = picture.shape[-2:]
        tell(f"{result.place}: {width} x {height} pixels, in the painting's colours.")
    return elsewhere


def _refuse_without_effect(options: Namespace, recipe: Recipe) -> None:
    """Refuse a weight that the recipe has no use for, rather than paint as if it had."""
    if options.content_weight is not None and not recipe.content_layers:
        raise StylelibError(
            f"--content-weight does nothing with the recipe {options.recipe}, which compares no "
            f"content layers. Use --likeness, or --recipe gram."
        )
    if options.likeness is not None and not recipe.neighbour_weight:
        raise StylelibError(
            f"--likeness does nothing with the recipe {options.recipe}, which uses no neighbours. "
            f"Use --content-weight, or --recipe neighbours."
        )


def _samples() -> int:
    from ..pictures.samples import NETWORKS

    width = max(len(name) for name in SAMPLES)
    for sample in SAMPLES.values():
        tell(f"{sample.name:{width}}  {sample.caption}")
    tell()
    tell("Trained networks, which paint at once:")
    for name in NETWORKS:
        one = SAMPLES.get(Path(name).stem)
        tell(f"{name:{width}}  {one.caption if one else 'All paintings above'}")
    tell()
    tell("Try: stylelib paint camel hokusai-great-wave")
    return 0
