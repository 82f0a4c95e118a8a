"""The command line: ``stylelib paint``, ``train``, ``samples``, ``doctor``, ``lab``.

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
from ..pictures.names import file_name
from ..pictures.record import base_name
from ..recipes import RECIPES, SETTINGS
from .doctor import doctor
from .feedforward import is_network, paint_at_once, train
from .interrupts import INTERRUPTED, one_interrupt, take_steps
from .lab import open_lessons
from .options import given_settings, make_parser
from .telling import save_and_tell, say, tell_losses

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
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console without UTF-8 must not stop a picture
            stream.reconfigure(errors="replace")
    parser = make_parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown and options.command != "lab":
        parser.error(f"there is no option {unknown[0]}")
    try:
        if options.command not in (None, "samples", "doctor"):
            check_folder()
        match options.command:
            case "paint":
                return _paint(options)
            case "train":
                return train(options)
            case "samples":
                return _samples()
            case "doctor":
                return doctor()
            case "lab":
                return open_lessons(unknown)
        parser.print_help()
        return 0
    except KeyboardInterrupt:
        say("Stopped; nothing was saved.")
        return INTERRUPTED
    except (StylelibError, OSError) as error:
        say(f"stylelib: {error}")
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
    if any(is_network(style) for style in options.style):
        return paint_at_once(options, _output(options))
    from ..engine.masks import divide, names_of_halves
    from ..engine.transfer import Transfer
    from ..pictures import film as films
    from ..pictures.color import keep_colors
    from ..pictures.images import ENDINGS, check_place, load_image, load_mask, save_image
    from .progress import Progress, duration

    output = check_place(_output(options), ENDINGS)
    film = None
    if options.film:
        check_place(_not_given(options.film, options, "--film"), films.ENDINGS)
        film = films.Film()
    recipe = RECIPES[pick(options.recipe, RECIPES, "recipe")].but(
        **given_settings(options, SETTINGS)
    )
    content = load_image(options.content, recipe.size)
    start = time.monotonic()
    paintings = [load_image(name, recipe.style_size()) for name in options.style]
    mask, where = None, list[str]()
    if options.mask is not None:
        mask = load_mask(options.mask, recipe.size)
        where = names_of_halves(base_name(options.mask), len(paintings))
    transfer = Transfer(content, divide(paintings, mask), recipe, device=options.device)
    transfer.quiet = True  # the reason for an early stop is printed below
    costs = list(accumulate(size**2 for size, steps in recipe.stages() for _ in range(steps)))
    with one_interrupt() as interrupts:
        if film:
            film.see(0, transfer.image)
        with Progress(costs[-1], sys.stderr) as bar:

            def show(step: "Step") -> None:
                if film:
                    film.see(step.iteration, step.image)
                label = f"step {step.iteration}/{step.steps}"
                bar.show(costs[step.iteration - 1], label, step.losses)

            done, trouble, status = take_steps(transfer, show, interrupts)
        if transfer.stopped:
            trouble, status = transfer.stopped, 1
        if not done:
            say(trouble or "Nothing was painted.")
            return status
        record = transfer.record(options.content, options.style, where)
        if options.keep_colors:
            record["keep_colors"] = True

        def colored(image: "Tensor") -> "Tensor":
            return keep_colors(image, content) if options.keep_colors else image

        picture = colored(transfer.image)
        output, elsewhere = save_and_tell(
            lambda place: save_image(picture, place, record), output, new=options.output is None
        )
        if trouble:
            say(f"{trouble} The picture so far is kept.")
        height, width = picture.shape[-2:]
        print(
            f"{output}: {width} x {height} pixels, {transfer.iteration} steps in "
            f"{duration(time.monotonic() - start)} ({transfer.device.type})."
        )
        tell_losses(bar.first, bar.last)
        if film:
            film.see(transfer.iteration, transfer.image, last=True)
            frames = [colored(frame) for frame in film.pictures]
            place, film_elsewhere = save_and_tell(
                lambda place: films.save_film(frames, place), options.film
            )
            print(f"{place}: a film of {len(frames)} pictures.")
            elsewhere = elsewhere or film_elsewhere
    return status or elsewhere


def _output(options: Namespace) -> Path:
    """Where to save; without ``--output``, a number is added if there is such a file."""
    if options.output is None:
        return Path(f"prettier-{Path(file_name(options.content)).stem}.png")
    return _not_given(options.output, options, "--output")


def _not_given(path: Path, options: Namespace, option: str) -> Path:
    """The same path, unless it is one of the pictures to paint from."""
    for given in map(Path, filter(None, [options.content, *options.style, options.mask])):
        if path.is_file() and given.is_file() and path.samefile(given):
            raise StylelibError(
                f"{option} names {given}, a picture to paint from. Choose another name."
            )
    return path


def _samples() -> int:
    from ..pictures.samples import NETWORKS, SAMPLES

    width = max(len(name) for name in SAMPLES)
    for sample in SAMPLES.values():
        print(f"{sample.name:{width}}  {sample.caption}")
    print("\nTrained networks, which paint at once:")
    for name in NETWORKS:
        print(f"{name:{width}}  {SAMPLES[Path(name).stem].caption}")
    print("\nTry: stylelib paint camel hokusai-great-wave")
    return 0
