"""The options of the command line, and the help that explains them.

An option that is a setting of `Recipe` is made from its entry in `recipes.SETTINGS`: to add
one, add a field with ``option=...`` to `Recipe`.
"""

import argparse
from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from ..errors import printable, shown
from ..recipes import DEFAULT, SETTINGS
from ..version import __version__

_PAINT = """\
Paint CONTENT, a photo, in the style of STYLE, a painting.

Each is a picture file or the name of a sample ("stylelib samples" lists them).
Several paintings are blended.

A network that was trained to recognise things (VGG-19) looks at both. Then the
pixels of a new picture are changed, step by step. With the recipe neighbours,
each place of it becomes, to the network, like the place of the painting that is
most similar to the photo there; the likeness says how much of the photo stays.
With the recipe gram, the network has to find in it the things of the photo (a
low content loss) and the textures of the painting (a low style loss).
"""

_EXAMPLES = """\
A good first try, about a minute on a laptop:
  stylelib paint camel hokusai-great-wave --output prettier-camel.png

Then change one thing at a time:
  stylelib paint camel hokusai-great-wave --likeness 0.1
  stylelib paint camel hokusai-great-wave --recipe gram --style-weight 8
  stylelib paint camel kandinsky-composition-viii --size 256 --init noise

Two paintings, the second three times as strong; or each in its own place:
  stylelib paint camel hokusai-great-wave hokusai-poppies --style-shares 1,3
  stylelib paint camel hokusai-great-wave hokusai-poppies --mask sky.png

At once, with a network that was trained on the paintings before; or a blend:
  stylelib paint camel eight-paintings.pt hokusai-poppies
  stylelib paint camel eight-paintings.pt hokusai-poppies cassatt-summertime

Your own photo, large; and a film of how it was painted:
  stylelib paint holiday.jpg van-gogh-village-street-in-auvers --size 1024
  stylelib paint holiday.jpg hokusai-poppies --film holiday.webp

Ctrl-C stops early and keeps the picture as it is. A saved picture records how
it was made; in Python: stylelib.read_recipe("prettier-camel.png").
"""

_TRAIN = """\
Train a network to paint in the style of PAINTING, a picture file or a sample.
Of several paintings, you choose one, or a blend, when you paint.

Once trained, it paints any photo at once: "stylelib paint camel FILE.pt".
In each step of the training it paints a part of a photo, and its weights are
changed so that what it paints has a lower loss: the same loss that "stylelib
paint" lowers for a single picture by changing the pixels.
"""

_TRAIN_EXAMPLES = """\
Ten minutes of training, then a picture at once:
  stylelib train hokusai-great-wave --output great-wave.pt
  stylelib paint camel great-wave.pt

See how it gets on, in a picture that is painted anew every 20 seconds:
  stylelib train my-painting.jpg --output mine.pt --preview mine.png

Ctrl-C stops early and keeps the network as it is. The same command goes on.
"""

_LAB = """\
Open the lessons in JupyterLab: those in the current folder, or your own copies in
the folder stylelib-lessons of your home folder, which is made the first time.

Further options are passed on to JupyterLab, for example --no-browser.
"""

_LESSONS = """\
Copy the lessons to FOLDER. Run it again after an update: a lesson that nobody has
worked in is replaced, and for any other the new version is put beside it.
"""

_GRADE = """\
Check the exercises in the notebooks of FOLDER, and in its zip files; or in one zip
file, as Moodle and others offer it. Each notebook runs in a process of its own, with
limits; what it paints is not painted again.

The results are in FOLDER-grades: a page to read, grades.html, and tables for a
spreadsheet. A student is called after the folder, or the file, of the notebook.
"""

_BUNDLE = """\
Put all that an installation needs into FOLDER, a USB stick for example: for Linux,
macOS (Apple chips) and Windows, about 650 MB together. README.txt there says how to
install from it, without internet.
"""

TRAINED = ("content_weight", "style_weight", "style_scale")
"""The settings of the recipe that `stylelib train` offers."""


class Parser(argparse.ArgumentParser):
    """An argument parser that explains a mistake in one sentence, without the usage."""

    def __init__(self, **options: Any) -> None:
        # The texts keep their line breaks; options can't be abbreviated.
        raw = argparse.RawDescriptionHelpFormatter
        super().__init__(formatter_class=raw, allow_abbrev=False, add_help=False, **options)
        self.add_argument("-h", "--help", action="help", help="Show this help and exit.")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with exit status 2."""
        self.exit(2, printable(f"{self.prog}: {message}. See: {self.prog} --help") + "\n")


def make_parser() -> Parser:
    """The parser of ``stylelib``'s arguments."""
    parser = Parser(
        prog="stylelib",
        description="Neural style transfer, to learn from: making camels prettier with AI.",
        epilog=f"{_EXAMPLES}\n'stylelib paint --help' explains each option.",
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"stylelib {__version__}",
        help="Show the version and exit.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    paint = commands.add_parser(
        "paint",
        help="Paint a photo in a painting's style.",
        description=_PAINT,
        epilog=_EXAMPLES,
    )
    _add_pictures(paint)
    _add_many(paint)
    _add_settings(paint)
    train = commands.add_parser(
        "train",
        help="Train a network that then paints in one painting's style at once.",
        description=_TRAIN,
        epilog=_TRAIN_EXAMPLES,
    )
    _add_training(train)
    export = commands.add_parser(
        "export",
        help="Export a trained network to ONNX, for programs without Python.",
        description="Export NETWORK, a trained network, to ONNX, and check that it paints the same "
        'there.\nNeeds onnx and onnxruntime: pip install "stylelib[onnx]"',
    )
    export.add_argument("network", metavar="NETWORK", help="FILE.pt, or a sample's name.")
    export.add_argument("output", metavar="OUTPUT", type=Path, help="Where to save it, .onnx.")
    commands.add_parser("samples", help="List the pictures that come with stylelib.")
    commands.add_parser(
        "doctor",
        help="Check whether everything works on this computer and, if not, what to do.",
        description="Check whether everything works on this computer and, if not, what to do:\n"
        "Python, packages, weights, memory, graphics, speed, Jupyter, folders. Takes\n"
        "about ten seconds.",
    )
    commands.add_parser(
        "lab",
        help="Open the lessons in JupyterLab.",
        description=_LAB,
    )
    _add_class(commands)
    return parser


def given_settings(options: Namespace, names: Iterable[str]) -> dict[str, Any]:
    """The settings with these names that were given on the command line."""
    values = {name: getattr(options, name, None) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _add_pictures(paint: Parser) -> None:
    add = paint.add_argument
    add(
        "content",
        metavar="CONTENT",
        help="The photo: a file, or a sample's name. Or many: a folder, or a pattern in quotation "
        "marks, such as 'photos/*.jpg'.",
    )
    add(
        "style",
        metavar="STYLE",
        nargs="*",
        help="The painting: a file, or a sample's name. Several paintings are blended; many photos "
        "are painted in each of them, unless --style-shares is given. Or a trained network, "
        "FILE.pt, which paints at once, and paintings that it knows.",
    )
    add(
        "--output",
        "-o",
        metavar="FILE",
        type=Path,
        help="Where to save the picture, .png or .jpg (default: prettier-CONTENT.png, here). With "
        "many photos: the folder for the pictures (default: painted).",
    )
    add(
        "--film",
        metavar="FILE",
        type=Path,
        help="Also save how it was painted, as an animated .gif or .webp.",
    )
    add(
        "--recipe",
        metavar="NAME",
        default=DEFAULT,
        help="All settings at once: neighbours, where each place of the photo takes the most "
        "similar place of the painting (the default); gram, the losses of the lessons; source, as "
        "in the original notebook (Adam, 5000 steps: an hour); or source-fast, the same losses in "
        "a minute. The options below change single settings of it.",
    )


def _add_many(paint: Parser) -> None:
    many = paint.add_argument_group("many photos")
    add = many.add_argument
    add(
        "--paintings",
        metavar="STYLE",
        nargs="+",
        help="The paintings; all that stands before this option is then a photo: "
        "stylelib paint a.jpg b.jpg --paintings hokusai-poppies",
    )
    add(
        "--jobs",
        metavar="N",
        type=_whole,
        help="Paint N pictures at a time. Worth it with four cores or more, and 2 GB of memory for "
        "each.",
    )
    add(
        "--scheduler",
        metavar="ADDRESS",
        nargs="?",
        const="",
        help="Paint on the workers of a Dask cluster, whose scheduler is at that address, such as "
        "tcp://10.0.0.5:8786. Without an address: the one in Dask's configuration, or a cluster on "
        "this computer.",
    )
    add(
        "--report",
        metavar="FILE",
        type=Path,
        help="Save a report: a page (.html) with the pictures before and after, times and "
        "failures, and the same as .json beside it; or .json alone.",
    )
    add(
        "--overwrite",
        action="store_true",
        default=None,
        help="Replace pictures that are there but were made in another way. Pictures that were "
        "made from the same files by the same recipe are never painted twice.",
    )


def _add_settings(paint: Parser) -> None:
    look = paint.add_argument_group("what the picture looks like (default: see --recipe)")
    work = paint.add_argument_group("how it is computed (default: see --recipe)")
    for name, setting in SETTINGS.items():
        if setting.option:
            _add_setting(look if setting.option == "look" else work, name)
    look.add_argument(
        "--mask",
        metavar="FILE",
        help="A picture in the photo's proportions that says where to paint: white is painted; "
        "black stays the photo, or is painted in the style of the second painting.",
    )
    look.add_argument(
        "--keep-colors",
        action="store_true",
        default=None,
        help="The painting's light and dark, in the photo's own colours.",
    )
    look.add_argument(
        "--only-colors",
        action="store_true",
        default=None,
        help="Take the painting's colours alone, and paint nothing; it takes a second.",
    )
    _add_device(work)


def _add_training(train: Parser) -> None:
    add = train.add_argument
    add(
        "painting",
        metavar="PAINTING",
        nargs="+",
        help="The painting: a file, or a sample's name. Or several, which take turns.",
    )
    add(
        "--output",
        "-o",
        metavar="FILE",
        type=Path,
        required=True,
        help="Where to save the network, .pt.",
    )
    add("--minutes", type=_number, metavar="N", default=10, help="How long to train (default: 10).")
    add(
        "--steps",
        type=_whole,
        metavar="N",
        help="How many steps, instead of a time: the same seed then gives the same network.",
    )
    add(
        "--photos",
        metavar="FOLDER",
        type=Path,
        help="A folder of photos to learn from, besides the paintings that come with stylelib.",
    )
    add(
        "--preview",
        metavar="FILE",
        type=Path,
        help="Where to show how far it is, .png or .jpg: the camel, painted every 20 seconds.",
    )
    add(
        "--start",
        metavar="FILE",
        default="eight-paintings.pt",
        help="The trained network to begin with, .pt; none begins with a new one, which takes "
        "several times as long (default: eight-paintings.pt, which comes with stylelib).",
    )
    for name in TRAINED:
        _add_setting(train, name)
    add(
        "--seed",
        type=_whole,
        metavar="N",
        default=0,
        help="Seed of the first weights and of the choice of the photos' parts.",
    )
    _add_device(train)


def _add_class(commands: "argparse._SubParsersAction[Parser]") -> None:
    """The commands for a class."""
    lessons = commands.add_parser(
        "lessons", help="Copy the lessons to a folder of your own.", description=_LESSONS
    )
    lessons.add_argument(
        "folder",
        metavar="FOLDER",
        type=Path,
        nargs="?",
        help="Where to (default: stylelib-lessons in your home folder).",
    )
    lessons.add_argument(
        "--install",
        metavar="REQUIREMENT",
        help="For Colab: a first cell in each lesson that installs this with pip where stylelib is "
        "missing, for example stylelib, or the address of a wheel.",
    )
    bundle = commands.add_parser(
        "bundle", help="Make a folder to install from without internet.", description=_BUNDLE
    )
    bundle.add_argument("folder", metavar="FOLDER", type=Path, help="Made if it does not exist.")
    bundle.add_argument(
        "--system",
        action="append",
        choices=("linux", "macos", "windows"),
        help="For this system only; may be given more than once (default: all three).",
    )
    bundle.add_argument(
        "--python",
        metavar="X.Y",
        action="append",
        help="The version of Python in the room, for example 3.12; may be given more than once "
        "(default: the version of this one).",
    )
    grade = commands.add_parser(
        "grade", help="Check the exercises that a class handed in.", description=_GRADE
    )
    add = grade.add_argument
    add("folder", metavar="FOLDER", type=Path, help="Where the handed-in files are.")
    add(
        "--output",
        "-o",
        metavar="FOLDER",
        type=Path,
        help="Where the results go (default: FOLDER-grades).",
    )
    add(
        "--seconds",
        type=_number,
        metavar="N",
        default=30,
        help="How much processor time a cell or an exercise may take (default: 30 s).",
    )
    add(
        "--memory",
        type=_number,
        metavar="GB",
        default=3,
        help="How much memory a notebook may take (default: 3).",
    )


def _add_setting(parser: argparse._ActionsContainer, name: str) -> None:
    """Add an option for a setting of `Recipe`."""
    setting = SETTINGS[name]
    known: dict[str, Any] = {"action": "store_true"}
    if setting.kind != "switch":
        known = dict(zip(("type", "metavar"), _KINDS[setting.kind], strict=True))
    option = "--" + name.replace("_", "-")
    parser.add_argument(option, default=None, help=setting.help.replace("%", "%%"), **known)


def _add_device(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--device",
        metavar="NAME",
        default="auto",
        help="Where to compute: cpu, cuda (NVIDIA), mps (Apple), or auto, the best there is.",
    )


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a number") from None


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(_number(part) for part in text.split(","))


def _layers(text: str) -> dict[str, float]:
    return dict.fromkeys((name.strip() for name in text.split(",")), 1.0)


# For each kind of setting, how its value is read, and what it is called in the help.
_KINDS: dict[str, tuple[Callable[[str], Any], str]] = {
    "number": (_number, "X"),
    "whole": (_whole, "N"),
    "choice": (str, "NAME"),
    "layers": (_layers, "LAYERS"),
    "shares": (_numbers, "X,X"),
}
