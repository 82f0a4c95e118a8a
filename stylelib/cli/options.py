"""What can be asked of the command line, and the help that explains it."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from ..version import __version__

_PAINT = """\
Paint CONTENT, a photo, in the style of STYLE, a painting.

Each is a picture file or the name of a sample ("stylelib samples" lists them).
Several paintings are blended.

A network that was trained to recognise things (VGG-19) looks at both. Then the
pixels of a new picture are changed, step by step, until the network finds in it
the things of the photo (a low content loss) and the textures of the painting
(a low style loss). The two pull against each other; the weights say who wins.
"""

_EXAMPLES = """\
A good first try, about a minute on a laptop:
  stylelib paint camel hokusai-great-wave --output prettier-camel.png

Then change one thing at a time:
  stylelib paint camel hokusai-great-wave --style-weight 8
  stylelib paint camel kandinsky-composition-viii --size 256 --init noise

Two paintings, the second one three times as much; or each in its own place:
  stylelib paint camel hokusai-great-wave hokusai-poppies --style-shares 1,3
  stylelib paint camel hokusai-great-wave hokusai-poppies --mask sky.png

By a network that was trained on the painting before, in a blink:
  stylelib paint camel hokusai-great-wave.pt

Your own photo, large; and a film of how it is painted:
  stylelib paint holiday.jpg van-gogh-village-street-in-auvers --size 1024
  stylelib paint holiday.jpg hokusai-poppies --film holiday.webp

Ctrl-C stops early and keeps the picture as it is. A saved picture says how it
was made; in Python: stylelib.read_recipe("prettier-camel.png").
"""

_TRAIN = """\
Train a network to paint in the style of PAINTING, a picture file or a sample.

Once trained, it paints any photo in a blink: "stylelib paint camel FILE.pt".
While it trains, it paints pieces of pictures, and its weights are changed, step
by step, so that what it paints has a lower loss: the same loss that "stylelib
paint" lowers for one picture by changing the pixels.
"""

_TRAIN_EXAMPLES = """\
Ten minutes, then a picture in a blink:
  stylelib train hokusai-great-wave --output great-wave.pt
  stylelib paint camel great-wave.pt

Ctrl-C stops early and keeps the network as it is.
"""


class Parser(argparse.ArgumentParser):
    """An argument parser that tells a mistake in one sentence, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with exit status 2."""
        self.exit(2, f"{self.prog}: {message}. See: {self.prog} --help\n")


def make_parser() -> Parser:
    """The parser of ``stylelib``'s arguments."""
    parser = _parser(
        Parser,
        prog="stylelib",
        description="Neural style transfer, to learn from: making camels prettier with AI.",
        epilog=_EXAMPLES + "\n'stylelib paint --help' explains each option.",
    )
    parser.add_argument("--version", action="version", version=f"stylelib {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    paint = _parser(
        commands.add_parser,
        "paint",
        help="paint a photo in a painting's style",
        description=_PAINT,
        epilog=_EXAMPLES,
    )
    _add_pictures(paint)
    _add_weights(paint)
    _add_work(paint)
    train = _parser(
        commands.add_parser,
        "train",
        help="train a network that then paints in one painting's style in a blink",
        description=_TRAIN,
        epilog=_TRAIN_EXAMPLES,
    )
    _add_training(train)
    _parser(commands.add_parser, "samples", help="list the pictures that come with stylelib")
    _parser(
        commands.add_parser,
        "doctor",
        help="say whether all works on this computer, and if not, what to do",
        description="Say whether all works on this computer, and if not, what to do: Python, "
        "packages,\nweights, memory, graphics, speed, Jupyter, folders. In about ten seconds.",
    )
    _parser(
        commands.add_parser,
        "lab",
        help="open the lessons in JupyterLab",
        description="Open the lessons in JupyterLab.\n\n"
        "Further options go to JupyterLab as they are, for example --no-browser.",
    )
    return parser


def _parser(make: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """A parser that keeps the line breaks of its texts, and takes no half-written options."""
    raw = argparse.RawDescriptionHelpFormatter
    return make(*arguments, formatter_class=raw, allow_abbrev=False, **options)


def _add_pictures(paint: Parser) -> None:
    add = paint.add_argument
    add("content", metavar="CONTENT", help="the photo: a file, or a sample's name")
    add(
        "style",
        metavar="STYLE",
        nargs="+",
        help="the painting: a file, or a sample's name; of several, a blend is painted. Or a "
        "trained network, FILE.pt, which paints in a blink",
    )
    add(
        "--output",
        "-o",
        metavar="FILE",
        type=Path,
        help="where to save the picture, .png or .jpg (left out: prettier-CONTENT.png, here)",
    )
    add(
        "--film",
        metavar="FILE",
        type=Path,
        help="save how it was painted as well, as an animated .gif or .webp",
    )
    add(
        "--recipe",
        metavar="NAME",
        default="default",
        help="all settings at once: default; source, as the original notebook has them (Adam, "
        "5000 steps: an hour); or source-fast, the same losses in a minute. What is not set below "
        "is as the recipe has it",
    )


def _add_weights(paint: Parser) -> None:
    add = paint.add_argument_group("what counts (left out: as the recipe has it)").add_argument
    add(
        "--content-weight",
        type=_number,
        metavar="W",
        help="how much the photo counts: more keeps the camel a camel",
    )
    add(
        "--style-weight",
        type=_number,
        metavar="W",
        help="how much the painting counts: more gives bolder strokes and less camel; 8 suits "
        "animals and landscapes, but faces go. Only the ratio of these two weights matters",
    )
    add(
        "--style-shares",
        type=_numbers,
        metavar="W,W",
        help="of several paintings: how much each one counts, in their order; only the ratio "
        "matters",
    )
    add(
        "--style-scale",
        type=_number,
        metavar="X",
        help="size of the painting's strokes: 2 makes them twice as large, 0.5 half as large",
    )
    add(
        "--mask",
        metavar="FILE",
        help="a picture in the photo's proportions that says where: white is painted, black "
        "stays the photo, or is painted in the style of the second painting",
    )
    add(
        "--keep-colors",
        action="store_true",
        help="the painting's light and dark, in the photo's own colours",
    )
    add(
        "--match-colors",
        action="store_true",
        default=None,
        help="give the painting the photo's colours before it is looked at",
    )
    add(
        "--statistic",
        metavar="NAME",
        help="what of the feature maps is the style: gram (which go together), mean_std (how "
        "strong each is and how much it varies) or sliced (all of how they are spread)",
    )
    add(
        "--tv-weight",
        type=_number,
        metavar="W",
        help="how much smoothness counts (total variation): more takes away speckles, then detail",
    )
    add(
        "--content-layers",
        type=_layers,
        metavar="LAYERS",
        help="where the network compares with the photo, from conv1_1 (every pixel) to conv5_4 "
        "(only what things there are); several with commas between: conv4_2,conv5_2 for faces, "
        "conv4_2,conv2_2 for writing",
    )
    add(
        "--style-layers",
        type=_layers,
        metavar="LAYERS",
        help="where it compares with the painting: early layers see colours and strokes, late "
        "ones whole shapes; for example conv1_1,conv2_1,conv3_1",
    )


def _add_work(paint: Parser) -> None:
    add = paint.add_argument_group(
        "how it is painted (left out: as the recipe has it)"
    ).add_argument
    add(
        "--size",
        type=_whole,
        metavar="N",
        help="longest side of the picture, in pixels; twice the size takes four times as long",
    )
    add("--steps", type=_whole, metavar="N", help="steps in all: more go further and take longer")
    add(
        "--optimizer",
        metavar="NAME",
        help="lbfgs (a few hundred steps), or adam (the source's: thousands)",
    )
    add("--init", metavar="NAME", help="the picture to start from: content, noise or style")
    add("--seed", type=_whole, metavar="N", help="of the noise: the same seed, the same picture")
    add(
        "--weights",
        metavar="NAME",
        help="the network's: embedded (came with stylelib), torchvision (downloaded once), or "
        "random (untrained, to see what the training is good for)",
    )
    add(
        "--device",
        metavar="NAME",
        default="auto",
        help="where to compute: cpu, cuda (NVIDIA), mps (Apple), or auto, the best there is",
    )


def _add_training(train: Parser) -> None:
    add = train.add_argument
    add("painting", metavar="PAINTING", help="the painting: a file, or a sample's name")
    add("--output", "-o", metavar="FILE", type=Path, required=True, help="where to save it, .pt")
    add("--minutes", type=_number, metavar="N", default=10, help="how long (left out: 10)")
    add(
        "--steps",
        type=_whole,
        metavar="N",
        help="how many steps, instead of a time: with the same seed, the same network again",
    )
    add(
        "--photos",
        metavar="FOLDER",
        type=Path,
        help="a folder of photos to learn from, beside the pictures that come with stylelib",
    )
    add(
        "--style-weight",
        type=_number,
        metavar="W",
        help="how much the painting counts: more gives bolder strokes and less camel",
    )
    add(
        "--style-scale",
        type=_number,
        metavar="X",
        help="size of the painting's strokes: 2 makes them twice as large, 0.5 half as large",
    )
    add(
        "--seed",
        type=_whole,
        metavar="N",
        default=0,
        help="of the first weights and of the choice of the pieces",
    )
    add(
        "--device",
        metavar="NAME",
        default="auto",
        help="where to compute: cpu, cuda (NVIDIA), mps (Apple), or auto, the best there is",
    )


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(_number(part) for part in text.split(","))


def _layers(text: str) -> dict[str, float]:
    return dict.fromkeys((name.strip() for name in text.split(",")), 1.0)
