"""The command line as users see it: what it paints, prints, and leaves untouched."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import torch
import tqdm.std
from PIL import Image
from torch import Tensor

import stylelib
from stylelib import RECIPES, SAMPLES, cli, load_image, read_recipe
from stylelib.cli.progress import Progress, duration
from stylelib.cli.streams import SteadyStream
from stylelib.core import loop
from stylelib.engine.devices import DEVICES
from stylelib.engine.objective import Objective
from stylelib.pictures.color import luminance
from stylelib.recipes import INITS, OPTIMIZERS, ORIGINS, SETTINGS, Setting

PAIR = ("camel", "hokusai-great-wave")
SMALL = ("--size", "64", "--steps", "3", "--device", "cpu")
Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: Any, tmp_path: Path) -> Run:
    """Call the command line in a new folder, as the installed command does."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> SimpleNamespace:
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = int(end.code or 0)
        out, err = capsys.readouterr()
        return SimpleNamespace(status=status, out=out, err=err)

    return call


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of files that can't be used, and one that can."""
    folder = tmp_path / "given"
    folder.mkdir()
    Image.new("RGB", (1, 1), "red").save(folder / "one-pixel.png")
    Image.new("RGB", (1, 90), "red").save(folder / "line.png")
    (folder / "essay.jpg").write_text("This is no picture.")
    (folder / "empty.jpg").write_bytes(b"")
    whole = SAMPLES["camel"].path.read_bytes()
    (folder / "cut-short.jpg").write_bytes(whole[: len(whole) // 3])
    (folder / "camel.jpg").write_bytes(whole)
    return folder


# ------------------------------------------------------------- in a process


def test_paints_a_picture_that_says_how_it_was_made(tmp_path: Path) -> None:
    private = tmp_path / "private folder" / "my camel.jpg"
    private.parent.mkdir()
    private.write_bytes(SAMPLES["camel"].path.read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "stylelib", "paint", private, PAIR[1], *SMALL, "-o", "out.png"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout[:7]) == (0, "out.png"), done.stderr
    assert "64 x 36 pixels, 3 steps" in done.stdout
    assert "step 3/3, 100%, style" in done.stderr and ", neighbours 0." in done.stderr

    painted = load_image(tmp_path / "out.png")
    assert painted.shape == (1, 3, 36, 64)
    assert (painted - load_image("camel", 64)).abs().mean() > 0.005

    made = read_recipe(tmp_path / "out.png")
    assert made == {
        "content": "my camel.jpg",
        "style": "hokusai-great-wave",
        "recipe": RECIPES["neighbours"].but(size=64, steps=3).as_dict(),
        "steps_done": 3,
        "device": "cpu",
        "precision": made and made["precision"],
        "winograd": made and made["winograd"],
        "versions": {"stylelib": stylelib.__version__, "torch": torch.__version__},
    }
    assert made["precision"] in ("float32", "bfloat16") and isinstance(made["winograd"], bool)
    stored = (tmp_path / "out.png").read_bytes()
    for secret in ("private folder", str(tmp_path), str(Path.home())):
        assert secret.encode() not in stored


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send Ctrl-C to one process")
def test_ctrl_c_keeps_the_picture_so_far(tmp_path: Path) -> None:
    (tmp_path / "out.png").write_bytes(b"an older picture")
    # A shell's background job ignores Ctrl-C, and so does what it starts.
    listening = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from stylelib.cli import main; sys.exit(main())"
    )
    arguments = ["paint", *PAIR, "--size", "64", "--steps", "100000", "-o", "out.png"]
    process = subprocess.Popen(
        [sys.executable, "-c", listening, *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        assert process.stderr.readline().startswith("step 1/100000")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "Stopped at step" in err and "so far is kept" in err and "Traceback" not in err
    made = read_recipe(tmp_path / "out.png")
    assert made is not None and 1 <= made["steps_done"] < 100_000
    assert f"{made['steps_done']} steps" in out
    assert load_image(tmp_path / "out.png").shape == (1, 3, 36, 64)


def test_a_console_without_utf8_does_not_stop_it(tmp_path: Path) -> None:
    name = "骆驼 à la plage.jpg"
    (tmp_path / name).write_bytes(SAMPLES["camel"].path.read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "stylelib", "paint", name, PAIR[1], *SMALL, "--steps", "1"],
        cwd=tmp_path,
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "prettier-骆驼 à la plage.png").is_file()


# ------------------------------------------------------------------- options


def test_every_option_reaches_the_recipe(run: Run) -> None:
    result = run(
        *("paint", *PAIR, "--output", "out.jpg", "--recipe", "source", "--size", "48"),
        *("--steps", "2", "--content-weight", "2", "--style-weight", "30", "--tv-weight", "0.5"),
        *("--content-layers", "conv2_2, conv3_1", "--style-layers", "conv1_1", "--seed", "7"),
        *("--optimizer", "lbfgs", "--init", "noise", "--weights", "random", "--device", "cpu"),
        *("--style-scale", "1.5", "--match-colors", "--statistic", "sliced"),
    )
    assert result.status == 0, result.err
    made = read_recipe("out.jpg")
    assert made is not None
    assert made["recipe"] == RECIPES["source"].but(
        size=48,
        steps=2,
        content_weight=2.0,
        style_weight=30.0,
        tv_weight=0.5,
        content_layers={"conv2_2": 1.0, "conv3_1": 1.0},
        style_layers={"conv1_1": 1.0},
        seed=7,
        optimizer="lbfgs",
        init="noise",
        weights="random",
        style_scale=1.5,
        match_colors=True,
        statistic="sliced",
    ).as_dict()  # fmt: skip
    assert ", tv " in result.err


def test_a_new_setting_becomes_an_option(run: Run, monkeypatch: Any) -> None:
    """By its entry in `recipes` alone."""
    known: dict[str, tuple[Setting, list[str], Any]] = {
        "glow_strength": (Setting("number", "How 100 % it glows.", option="look"), ["0.5"], 0.5),
        "threads": (Setting("whole", "How many threads.", option="work"), ["3"], 3),
        "varnish": (Setting("switch", "Shiny.", option="look"), [], True),
        "frame": (Setting("choice", "Oak or pine.", option="look"), ["oak"], "oak"),
        "inner": (Setting("layers", "Which.", option="work"), ["a, b"], {"a": 1.0, "b": 1.0}),
        "parts": (Setting("shares", "Of each.", option="work"), ["1,3"], (1.0, 3.0)),
        "secret": (Setting("number", "Not for the command line."), [], None),
    }
    for name, (setting, given, value) in known.items():
        monkeypatch.setitem(SETTINGS, name, setting)
        if setting.option:
            option = "--" + name.replace("_", "-")
            options = cli.make_parser().parse_args(["paint", *PAIR, option, *given])
            assert getattr(options, name) == value
            assert getattr(cli.make_parser().parse_args(["paint", *PAIR]), name) is None
    shown = run("paint", "--help").out
    look, work = shown.index("what the picture looks like"), shown.index("how it is computed")
    assert look < shown.index("How 100 % it glows.") < work < shown.index("How many threads.")
    assert "secret" not in shown
    assert "'much' is not a number" in run("paint", *PAIR, "--glow-strength", "much").err


def test_two_paintings_with_the_photos_colours(run: Run) -> None:
    blend = ("--style-shares", "1,3", "--keep-colors")
    result = run("paint", *PAIR, "hokusai-poppies", *SMALL, *blend, "-o", "out.png")
    assert result.status == 0, result.err
    made = read_recipe("out.png")
    assert made is not None and made["style"] == ["hokusai-great-wave", "hokusai-poppies"]
    assert made["recipe"]["style_shares"] == [1.0, 3.0] and made["keep_colors"] is True
    photo, image = load_image("camel", 64), load_image("out.png")
    # Apart from its luminance, each pixel keeps its colour, or a paler one.
    tint, kept = photo - luminance(photo), image - luminance(image)
    assert (kept.abs() <= tint.abs() + 0.01).all()
    result = run("paint", *PAIR, "hokusai-poppies", *SMALL, "--style-shares", "1,2,3")
    assert result.status == 1 and "3 numbers for 2 paintings" in result.err


def test_a_film_with_the_photos_colours(run: Run, pictures: Path) -> None:
    film = ("--film", "film.webp")
    result = run("paint", *PAIR, *SMALL, "--likeness", "0", "--keep-colors", "-o", "out.png", *film)
    assert result.status == 0, result.err
    assert "film.webp: a film of 4 pictures" in result.out  # the photo, and three steps
    with Image.open("film.webp") as shown:
        assert (shown.n_frames, shown.size) == (4, (64, 36))
        first = load_image(shown.convert("RGB"))
        shown.seek(3)
        last = load_image(shown.convert("RGB"))
    photo, picture = load_image("camel", 64), load_image("out.png")
    assert (first - photo).abs().mean() < 0.03
    assert (last - picture).abs().mean() < 0.03
    assert (last - photo).abs().mean() > 1.5 * (first - photo).abs().mean()

    Path("full").touch()
    for path, told in (("film.mp4", ".gif or .webp"), ("full/film.gif", "no folder full")):
        result = run("paint", *PAIR, *SMALL, "-o", "again.png", "--film", path)
        assert result.status == 1 and told in result.err and not Path("again.png").exists()
    photo_file = pictures / "camel.jpg"
    gif = pictures / "camel.gif"
    gif.write_bytes(photo_file.read_bytes())
    result = run("paint", gif, PAIR[1], *SMALL, "--film", gif)
    assert result.status == 1 and "--film is the same file as" in result.err
    assert gif.read_bytes() == photo_file.read_bytes()


def test_a_mask_selects_where_to_paint(run: Run) -> None:
    mask = Image.new("L", (64, 36))
    mask.paste(255, (0, 0, 64, 12))
    mask.save("sky.png")
    assert run("paint", *PAIR, *SMALL, "--mask", "sky.png", "-o", "sky-only.png").status == 0
    both = run("paint", *PAIR, "hokusai-poppies", *SMALL, "--mask", "sky.png", "-o", "both.png")
    assert both.status == 0, both.err
    photo, one, two = (load_image(name, 64) for name in ("camel", "sky-only.png", "both.png"))
    still = (one - photo).abs()[..., 13:, :] < 1 / 255  # saved in whole 255ths
    assert still.all() and (one - photo).abs()[..., :12, :].mean() > 0.01
    assert (two - photo).abs()[..., 13:, :].mean() > 0.005
    assert read_recipe("both.png")["where"] == ["sky.png", "1 - sky.png"]  # type: ignore[index]
    three = run("paint", *PAIR, "camel", "hokusai-poppies", *SMALL, "--mask", "sky.png")
    assert three.status == 1 and "give one or two" in three.err


def test_the_same_seed_paints_the_same_picture(run: Run) -> None:
    for name, seed in [("a.png", "1"), ("b.png", "1"), ("c.png", "2")]:
        assert (
            run("paint", *PAIR, *SMALL, "--init", "noise", "--seed", seed, "-o", name).status == 0
        )
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert not torch.equal(load_image("a.png"), load_image("c.png"))


def test_without_output_no_picture_is_overwritten(run: Run) -> None:
    assert "prettier-camel.png" in run("paint", *PAIR, *SMALL, "--steps", "1").out
    first = Path("prettier-camel.png").read_bytes()
    assert "prettier-camel-2.png" in run("paint", *PAIR, *SMALL, "--steps", "2").out
    assert Path("prettier-camel.png").read_bytes() == first


def test_the_help_explains_choices_and_gives_working_examples(run: Run) -> None:
    result = run("paint", "--help")
    assert result.status == 0
    for name in (*OPTIMIZERS, *INITS, *ORIGINS, *DEVICES, *RECIPES):
        assert re.search(rf"\b{name}\b", result.out), name
    assert "more keeps more of the\n" in result.out  # what the content weight does
    assert "0\n                        (all painting) to 1 (all photo)" in result.out
    assert "stylelib paint camel hokusai-great-wave --output prettier-camel.png" in result.out
    for line in result.out.splitlines():
        assert len(line) <= 80
        if line.startswith("  stylelib paint "):  # each example has to work
            cli.make_parser().parse_args(line.split()[1:])


def test_a_weight_that_the_recipe_has_no_use_for_is_refused(run: Run) -> None:
    for option, recipe, other in [
        ("--content-weight", "neighbours", "--likeness"),
        ("--likeness", "gram", "--content-weight"),
    ]:
        result = run("paint", *PAIR, *SMALL, "--recipe", recipe, option, "0.5")
        assert result.status == 1 and f"{option} does nothing" in result.err and other in result.err
    layers = ("--content-layers", "conv2_2", "--content-weight", "0.5")
    assert run("paint", *PAIR, *SMALL, *layers).status == 0


def test_version_and_no_command(run: Run) -> None:
    assert run("--version").out == f"stylelib {stylelib.__version__}\n"
    assert run("--help").out == run().out


def test_samples_are_listed_with_title_and_maker(run: Run) -> None:
    lines = run("samples").out.splitlines()
    for sample in SAMPLES.values():
        assert any(line.split()[:1] == [sample.name] and sample.title in line
                   and sample.maker in line for line in lines)  # fmt: skip


# ----------------------------------------------------------------- bad input

BAD_PICTURES = [
    (("camle", PAIR[1]), "no sample picture called 'camle'. Did you mean camel?"),
    (("camel", "hokusai-grate-wave"), "Did you mean hokusai-great-wave"),
    (("nowhere.jpg", PAIR[1]), "There is no file nowhere.jpg"),
    (("camel", "given"), "given is a folder"),
    (("given/one-pixel.png", PAIR[1]), "1 x 1 pixels: too small"),
    (("camel", "given/line.png"), "1 x 90 pixels: too small"),
    (("given/essay.jpg", PAIR[1]), "essay.jpg is not a picture"),
    (("given/empty.jpg", PAIR[1]), "empty.jpg is not a picture"),
    (("camel", "given/cut-short.jpg"), "cut-short.jpg could not be read"),
]
BAD_SETTINGS = [
    (("--recipe", "sauce"), "no recipe called 'sauce'. Did you mean source or source-fast?"),
    (("--style-layers", "conv1_1,conv9_9"), "no layer called 'conv9_9'"),
    (("--content-layers", "conv42"), "Did you mean conv4_2"),
    (("--optimizer", "sgd"), "There are: lbfgs, adam."),
    (("--init", "kamel"), "no start called 'kamel'"),
    (("--weights", "torchvison"), "Did you mean torchvision?"),
    (("--device", "tpu"), "no device called 'tpu'"),
    (("--size", "8"), "size is 8; it must be"),
    (("--steps", "0"), "steps is 0; it must be"),
    (("--style-weight", "-1"), "style_weight is -1.0; it must be"),
    (("--content-weight", "nan"), "content_weight is nan; it must be"),
    (("--seed", "-4"), "seed is -4; it must be"),
]
BAD_OUTPUTS = [
    ("picture", "must end in .png or .jpg"),
    ("picture.gif", "must end in .png or .jpg"),
    ("nowhere/picture.png", "There is no folder nowhere"),
    ("given/camel.jpg/picture.png", "There is no folder"),
    ("folder.png", "folder.png is a folder"),
    ("given/camel.jpg", "--output is the same file as given/camel.jpg"),
    ("x" * 300 + ".png", "too long for a file"),
]
BAD_USE = [
    (("paint",), "required: CONTENT, STYLE"),
    (("paint", *PAIR, "--size", "big"), "--size: 'big' is not a whole number"),
    (("paint", *PAIR, "--style-weight", "lots"), "--style-weight: 'lots' is not a number"),
    (("paint", *PAIR, "--sise", "64"), "there is no option --sise"),
    (("pant", *PAIR), "'pant'"),
]


def told_in_one_sentence(result: SimpleNamespace, words: str, status: int) -> bool:
    """Whether it ended with this status and printed a single line, on stderr."""
    assert (result.status, result.out) == (status, "")
    assert result.err.count("\n") == 1 and result.err.startswith("stylelib")
    return words in result.err


@pytest.mark.parametrize(("given", "words"), BAD_PICTURES)
def test_a_bad_picture_is_explained(run: Run, pictures: Path, given: Any, words: str) -> None:
    Path("out.png").write_bytes(b"an older picture")
    assert told_in_one_sentence(run("paint", *given, *SMALL, "-o", "out.png"), words, 1)
    assert Path("out.png").read_bytes() == b"an older picture"
    assert sorted(os.listdir()) == ["given", "out.png"]


@pytest.mark.parametrize(("setting", "words"), BAD_SETTINGS)
def test_a_bad_setting_is_explained(run: Run, setting: Any, words: str) -> None:
    Path("out.png").write_bytes(b"an older picture")
    assert told_in_one_sentence(run("paint", *PAIR, *setting, "-o", "out.png"), words, 1)
    assert Path("out.png").read_bytes() == b"an older picture"


@pytest.mark.parametrize(("output", "words"), BAD_OUTPUTS)
def test_a_bad_output_is_refused_before_painting(
    run: Run, pictures: Path, monkeypatch: Any, output: str, words: str
) -> None:
    monkeypatch.delattr("stylelib.engine.transfer.Transfer.__next__")
    Path("folder.png").mkdir()
    result = run("paint", "given/camel.jpg", PAIR[1], *SMALL, "-o", output)
    assert told_in_one_sentence(result, words, 1)
    assert (pictures / "camel.jpg").read_bytes() == SAMPLES["camel"].path.read_bytes()
    assert sorted(os.listdir()) == ["folder.png", "given"]


def test_a_folder_without_write_access_is_refused_before_painting(
    run: Run, monkeypatch: Any
) -> None:
    def closed(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("stylelib.pictures.files.TemporaryFile", closed)
    monkeypatch.delattr("stylelib.engine.transfer.Transfer.__next__")
    result = run("paint", *PAIR, *SMALL, "-o", "out.png")
    assert told_in_one_sentence(result, "out.png may not be written. Choose another folder", 1)


@pytest.mark.parametrize(("arguments", "words"), BAD_USE)
def test_a_wrong_command_is_explained(run: Run, arguments: Any, words: str) -> None:
    assert told_in_one_sentence(run(*arguments), words, 2)


def test_a_size_too_large_for_memory_is_refused_with_one_that_fits(
    run: Run, monkeypatch: Any
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=10**9))
    result = run("paint", *PAIR, "--size", "8192", "-o", "out.png")
    assert told_in_one_sentence(result, "1.0 GB are free. Try size", 1)
    fits = re.search(r"Try size (\d+)", result.err)
    assert fits is not None and 256 <= int(fits[1]) < 2048
    assert not Path("out.png").exists()


# --------------------------------------------------- errors while painting


def stop_at(monkeypatch: Any, step: int, error: BaseException) -> None:
    """Let a transfer raise `error` when it has done so many steps."""
    going_on, done = loop.step, list[int]()

    def take_step(*arguments: Any) -> Any:
        if len(done) == step:
            raise error
        done.append(1)
        return going_on(*arguments)

    monkeypatch.setattr(loop, "step", take_step)


def test_out_of_memory_while_painting_keeps_the_picture(run: Run, monkeypatch: Any) -> None:
    stop_at(monkeypatch, 2, RuntimeError("DefaultCPUAllocator: not enough memory"))
    result = run("paint", *PAIR, *SMALL, "-o", "out.png")
    assert result.status == 1 and "ran out of memory" in result.err
    made = read_recipe("out.png")
    assert made is not None and made["steps_done"] == 2


def test_an_error_before_the_first_step_leaves_the_old_picture(run: Run, monkeypatch: Any) -> None:
    Path("out.png").write_bytes(b"an older picture")
    for error, status in [(KeyboardInterrupt(), 130), (MemoryError(), 1)]:
        with monkeypatch.context() as patch:
            stop_at(patch, 0, error)
            result = run("paint", *PAIR, *SMALL, "-o", "out.png")
        assert (result.status, result.out) == (status, "")
        assert result.err and Path("out.png").read_bytes() == b"an older picture"


def test_an_exploding_loss_is_reported_and_the_picture_kept(run: Run, monkeypatch: Any) -> None:
    going_on, calls = Objective.__call__, list[int]()

    def explode(self: Objective, image: Tensor) -> Any:
        loss, parts = going_on(self, image)
        calls.append(1)
        return loss * (1 if len(calls) <= 2 else 1e9), parts

    monkeypatch.setattr(Objective, "__call__", explode)
    result = run("paint", *PAIR, *SMALL, "-o", "out.png")
    assert result.status == 1 and "the best picture so far is kept" in result.err
    made = read_recipe("out.png")
    assert made is not None and made["steps_done"] == 2


def test_a_bug_is_not_hidden(run: Run, monkeypatch: Any) -> None:
    stop_at(monkeypatch, 1, RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        run("paint", *PAIR, *SMALL, "-o", "out.png")


# ------------------------------------------------------------------ progress


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def steady(stream: io.StringIO) -> Any:
    return SteadyStream(stream)


def show(stream: io.StringIO, monkeypatch: Any, columns: int = 80) -> str:
    """The output for a painting of 40 steps, four steps a second."""
    clock = [0.0]
    monkeypatch.setattr(tqdm.std, "time", lambda: clock[0])
    monkeypatch.setenv("COLUMNS", str(columns))
    costs = [1] * 30 + [4] * 10  # the last ten steps have four times the pixels
    bar = Progress(sum(costs), steady(stream))
    for step in range(1, 41):
        clock[0] += 0.25
        losses = {"content": 0.5 / step, "style": 1234.5 / step, "tv": 0.0, "total": 1.0}
        bar.show(sum(costs[:step]), f"step {step}/40", losses.copy)
    bar.close()
    assert (bar.first["content"], bar.last["content"]) == (0.5, 0.5 / 40)
    return stream.getvalue()


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_bar_is_ascii_and_fits_on_a_line(monkeypatch: Any, columns: int) -> None:
    text = show(Terminal(), monkeypatch, columns)
    assert text.isascii() and text.count("\n") == 1
    first, *lines = text.split("\r")[1:]
    assert first == "  0% [...............] starting"
    assert len(lines) >= 40 and max(len(line.rstrip("\n")) for line in lines) < columns
    assert lines[-1].startswith("100% [###############] step 40/40")


def test_the_time_left_accounts_for_pixels(monkeypatch: Any) -> None:
    _, *lines = show(Terminal(), monkeypatch).split("\r")[1:]
    # 30 small steps cost as much as 7.5 of the 10 large ones: less than half is done.
    assert lines[29].startswith(" 43% [######.........] step 30/40")
    # 30 small steps took 7.5 s: each of the 10 large ones will take four times as long.
    assert lines[29].rstrip().endswith("00:10 left")
    assert "starting" in lines[0] and lines[-1].rstrip().endswith("00:10 in all")


def test_a_log_gets_a_few_lines(monkeypatch: Any) -> None:
    lines = show(io.StringIO(), monkeypatch).splitlines()
    assert len(lines) == 19
    assert lines[0] == "step 1/40, 1%, content 0.5, style 1.23e+03, starting"
    assert lines[-1] == "step 40/40, 100%, content 0.0125, style 30.9, 00:10 in all"


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
@pytest.mark.parametrize("broken", [OSError(28, "No space left on device"), OSError(5, "I/O")])
def test_a_failing_or_closed_stream_stops_nothing(
    monkeypatch: Any, kind: type[io.StringIO], broken: OSError
) -> None:
    stream = kind()

    def fail(_: str) -> int:
        raise broken

    monkeypatch.setattr(stream, "write", fail)
    show(stream, monkeypatch)
    closed = kind()
    bar = Progress(2, steady(closed))
    closed.close()
    for step in (1, 2):
        bar.show(step, f"step {step}/2", {"content": 1.0, "style": 1.0, "tv": 0.0}.copy)
    bar.close()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (125, "2 min 05 s"), (4200, "1 h 10 min")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


# -------------------------------------------------------------------- Ctrl-C

# Ctrl-C may be ignored where the tests run, in the background of a shell for example.
STARTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from stylelib.__main__ import main
print(flush=True)
sys.exit(main())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C in another way")
@pytest.mark.parametrize("delay", [0.02, 0.1, 0.3, 0.6, 1.2])
@pytest.mark.parametrize(
    "arguments", [("paint", *PAIR, "--size", "2048"), ("lab", "--no-browser", "--port", "9")]
)
def test_ctrl_c_while_it_starts(tmp_path: Path, arguments: Any, delay: float) -> None:
    """While options are read, or PyTorch or JupyterLab is imported, it ends without a traceback."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARTED, *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"HOME": str(tmp_path.parent)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "\n"  # until then, Python itself is starting
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out, list(tmp_path.iterdir())) == (130, "", [])
    assert err.endswith("Stopped; nothing was saved.\n") and "Traceback" not in err


def test_an_ignored_ctrl_c_stays_ignored() -> None:
    """`nohup` ignores it, and so does a shell for background jobs."""
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    code += "import sys; from stylelib.__main__ import main; sys.argv = ['stylelib', 'samples']\n"
    code += "main(); print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    told = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert told.endswith("True\n")
