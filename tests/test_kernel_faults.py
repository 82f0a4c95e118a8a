"""Interrupted kernels, dying threads, shared caches, missing parts."""

import asyncio
import ctypes
import hashlib
import http.server
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from stylelib import StylelibError, Transfer, cli, load_image, load_vgg19, read_recipe
from stylelib.core.layers import CONVOLUTIONS
from stylelib.studio import Painter

QUICK: dict[str, Any] = {
    "size": 48,
    "steps": 40,
    "content_layers": {"conv2_1": 1.0},
    "style_layers": {"conv1_1": 1.0},
}
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new current folder."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


# ---------------------------------------------------------------- the kernel is interrupted


class Kernel:
    """A new Jupyter kernel, used as a notebook does."""

    def __init__(self, folder: Path) -> None:
        from jupyter_client.manager import start_new_kernel

        environment = os.environ | ONE_THREAD
        self.manager, self.client = start_new_kernel(env=environment, cwd=str(folder))

    def run(self, code: str, interrupt_after: float | None = None) -> tuple[str, str]:
        """Run a cell; return what it printed, and the name of the error that ended it."""
        printed = []

        def hear(message: Any) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        timer = threading.Timer(interrupt_after or 0, self.manager.interrupt_kernel)
        if interrupt_after is not None:
            timer.start()
        try:
            reply = self.client.execute_interactive(code, timeout=30, output_hook=hear)
        except TimeoutError:
            # If interrupted between a cell's end and its reply, ipykernel loses the reply.
            if interrupt_after is None:
                raise
            return "".join(printed), "KeyboardInterrupt"
        finally:
            timer.cancel()
        return "".join(printed), reply["content"].get("ename", "")

    def value(self, code: str) -> str:
        printed, error = self.run(f"print({code})")
        assert not error, printed
        return printed.strip()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    kernel = Kernel(tmp_path_factory.mktemp("kernel"))
    kernel.run(f"from stylelib import *; from stylelib.studio import Painter; quick = {QUICK!r}")
    kernel.run("photo, painting = load_image('camel', 48), load_image('hokusai-great-wave', 48)")
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


@pytest.mark.skipif(os.name == "nt", reason="kernels are interrupted in another way there")
def test_interrupting_the_kernel_loses_nothing(kernel: Kernel) -> None:
    """At many moments: the picture is kept, and running the cell again continues with it."""
    recipe = "RECIPES['default'].but(**quick | {'steps': 100})"  # long enough to be interrupted
    make = f"Transfer(photo, painting, {recipe}, device='cpu')"
    kernel.run(f"whole = {make}.run(); transfer = {make}")
    chance, interrupted = random.Random(3), 0
    for _ in range(60):
        if kernel.value("transfer.iteration") == "100":
            break
        _, error = kernel.run("transfer.run()", chance.uniform(0.01, 0.12))
        assert error in ("", "KeyboardInterrupt")
        interrupted += error != ""
        assert kernel.value("transfer.image.isfinite().all().item()") == "True"
        assert kernel.value("save_image(transfer.image, 'so-far.png').stat().st_size > 0") == "True"
    assert kernel.value("transfer.run().equal(whole), transfer.iteration") == "True 100"
    assert interrupted >= 3, interrupted


@pytest.mark.skipif(os.name == "nt", reason="kernels are interrupted in another way there")
def test_a_painter_in_an_interrupted_cell_can_continue(kernel: Kernel) -> None:
    kernel.run("painter = Painter(**quick | {'steps': 100_000})")
    _, error = kernel.run("painter.paint()", 1.5)
    assert error == "KeyboardInterrupt"
    done = int(kernel.value("painter.run.iteration"))
    assert done > 0 and kernel.value("painter.state") == "idle"
    assert kernel.value("read_recipe(painter.save())['steps_done']") == str(done)
    # The interrupt ended the cell; the picture is kept, and the next painting works.
    kernel.run("painter.set(steps=3)")
    assert kernel.value("painter.paint().iteration, painter.run.finished") == "3 True"


def test_a_kernel_restarted_while_it_paints(tmp_path: Path) -> None:
    """It ends by itself, without being killed; what was saved stays, and the next one paints."""
    kernel = Kernel(tmp_path)
    setup = f"from stylelib.studio import Painter; painter = Painter(**{QUICK!r})"
    try:
        assert kernel.run(setup)[1] == ""
        kernel.run("painter.set(steps=100_000).start()")
        kernel.run("import time\nwhile painter.run.iteration < 3: time.sleep(0.01)")
        kernel.run("first = painter.save()")
        kernel.run("import atexit, pathlib; atexit.register(pathlib.Path('ended').touch)")
        assert kernel.value("painter.state") == "painting"
        saved = (tmp_path / kernel.value("first")).read_bytes()
        kernel.manager.restart_kernel()
        assert (tmp_path / "ended").exists()
        kernel.client.wait_for_ready(60)
        assert kernel.run(setup)[1] == ""
        again = kernel.value("painter.set(steps=2).paint() and painter.save()")
        assert again != "camel-hokusai-great-wave-1.png"
        assert (tmp_path / "camel-hokusai-great-wave-1.png").read_bytes() == saved
        assert read_recipe(tmp_path / again) is not None
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)


# --------------------------------------------------------------- the painter's thread dies


async def later(true: Callable[[], Any], timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def kill_thread(kind: type[BaseException]) -> None:
    """Raise an unexpected exception in the painter's thread, whatever it is doing."""
    (thread,) = (t for t in threading.enumerate() if t.name == "stylelib painter")
    assert thread.ident is not None
    raised = ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident), ctypes.py_object(kind)
    )
    assert raised == 1


@pytest.mark.parametrize("kind", [SystemExit, MemoryError, OSError, KeyboardInterrupt, ValueError])
def test_a_painter_whose_thread_dies_reports_it_and_paints_again(kind: type[BaseException]) -> None:
    painter = Painter(**QUICK | {"steps": 100_000})

    async def work() -> None:
        painter.start()
        await later(lambda: painter.run is not None and painter.run.iteration >= 3)
        kill_thread(kind)
        await later(lambda: painter.state == "idle")
        await asyncio.sleep(0.3)  # the message about it
        run = painter.run
        assert run is not None and run.finished and run.iteration >= 3
        said = painter.desk.panel.message.value
        words = {MemoryError: "out of memory", KeyboardInterrupt: "Interrupted"}
        assert words.get(kind, kind.__name__) in said, said
        recipe = read_recipe(painter.save())
        assert recipe is not None and recipe["steps_done"] == run.iteration
        painter.set(steps=4)
        assert not painter.desk.buttons["paint"].disabled
        painter.start()
        await later(lambda: painter.run is not run and painter.state == "idle")
        assert painter.run is not None and painter.run.iteration == 4

    try:
        asyncio.run(work())
    finally:
        painter.close()
    assert not [t for t in threading.enumerate() if t.name == "stylelib painter"]


def test_two_painters_at_once_both_get_their_picture() -> None:
    """The second one pauses the first, which can be resumed; they don't affect each other."""
    names = ("hokusai-great-wave", "kandinsky-composition-viii")
    alone = [Painter(style=name, **QUICK) for name in names]
    expected = [painter.paint().picture() for painter in alone]
    both = [Painter(style=name, **QUICK) for name in names]

    async def work() -> None:
        for painter in both:
            painter.start()
        await later(lambda: both[1].state == "idle" and both[0].state == "paused")
        both[1].start()  # again, this time with both running
        both[0].resume()
        await later(lambda: both[1].state == "idle" and both[0].state == "idle")

    try:
        asyncio.run(work())
        for painter, picture in zip(both, expected, strict=True):
            assert painter.run is not None and torch.equal(painter.run.picture(), picture)
    finally:
        for painter in alone + both:
            painter.close()


def test_a_button_saves_elsewhere_when_the_folder_is_gone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    painter = Painter(**QUICK | {"steps": 2})
    painter.paint()
    try:
        folder.rmdir()
    except OSError:
        pytest.skip("Windows can't remove the current folder")
    for name, ending in (("save", ".png"), ("film", ".gif")):
        painter.desk.buttons[name].click()
        saved = home / f"camel-hokusai-great-wave-1{ending}"
        assert saved.stat().st_size > 500
        assert f"saved here: {saved}" in painter.desk.panel.message.value
        assert f"in {home}" in painter.desk.saved.value
    painter.close()


# --------------------------------------------------------------------- a cache that is shared


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """A local server to download weights from, and the requests that it got."""
    generator = torch.Generator().manual_seed(1)
    state = {}
    for place, name in ((0, "conv1_1"), (2, "conv1_2")):
        into, out = CONVOLUTIONS[name]
        state[f"features.{place}.weight"] = torch.randn(out, into, 3, 3, generator=generator)
        state[f"features.{place}.bias"] = torch.zeros(out)
    folder = tmp_path / "served"
    folder.mkdir()
    torch.save(state, folder / "new")
    digest = hashlib.sha256((folder / "new").read_bytes()).hexdigest()
    name = f"vgg19-{digest[:8]}.pth"
    (folder / "new").rename(folder / name)
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            asked.append(self.path)

    http_server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Handler, directory=str(folder))
    )
    thread = threading.Thread(target=http_server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{http_server.server_port}/{name}", asked
    http_server.shutdown()
    http_server.server_close()
    thread.join()


LOADING = """
import sys, hashlib, torch
try:
    import torchvision
except RuntimeError:  # built for another torch; see conftest.py
    for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
from torchvision.models import VGG19_Weights
object.__setattr__(VGG19_Weights.IMAGENET1K_V1.value, "url", sys.argv[1])
from stylelib import load_vgg19, StylelibError
try:
    network = load_vgg19("torchvision", "conv1_2")
except StylelibError as error:
    print("told:", error)
else:
    kernels = [c.weight.detach().contiguous() for c in network.convolutions.values()]
    print(hashlib.sha256(b"".join(k.numpy().tobytes() for k in kernels)).hexdigest())
"""


def loading(url: str, cache: Path) -> subprocess.Popen[str]:
    environment = os.environ | ONE_THREAD | {"TORCH_HOME": str(cache)}
    return subprocess.Popen(
        [sys.executable, "-c", LOADING, url],
        env={k: v for k, v in environment.items() if k.lower() != "http_proxy"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("many", [3, pytest.param(30, marks=pytest.mark.slow)])
def test_a_missing_cache_shared_by_many_processes(
    server: tuple[str, list[str]], tmp_path: Path, many: int
) -> None:
    url, asked = server
    cache = tmp_path / "not" / "yet" / "there"
    started = [loading(url, cache) for _ in range(many)]
    told = [process.communicate(timeout=300) for process in started]
    (digest,) = {out.splitlines()[-1] for out, _ in told}
    assert len(digest) == 64, told
    assert asked
    # One complete file, no partial ones; and the next process downloads nothing.
    (file,) = (cache / "hub" / "checkpoints").iterdir()
    assert file.name == url.rsplit("/", 1)[-1]
    before = len(asked)
    assert loading(url, cache).communicate(timeout=300)[0] == f"{digest}\n"
    assert len(asked) == before


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="Linux has such a file")
def test_a_cached_file_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torchvision: Any
) -> None:
    """It exists, but reading it is an I/O error."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None, raising=False)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "vgg19-dcbb9e9d.pth").symlink_to("/proc/self/mem")
    with pytest.raises(StylelibError, match=r"could not be read \(Input/output error\).*Delete"):
        load_vgg19("torchvision")


# ------------------------------------------------------------------------ missing parts


def bare(**more: str) -> dict[str, str]:
    """An environment without a display, whose home folder doesn't exist."""
    gone = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND", "MPLCONFIGDIR", "TORCH_HOME")
    kept = {k: v for k, v in os.environ.items() if k not in gone and not k.startswith("XDG_")}
    return kept | ONE_THREAD | {"HOME": "/nowhere", "USERPROFILE": "/nowhere"} | more


def test_no_display_no_home_and_an_ascii_log() -> None:
    code = (
        "import io; from stylelib import *; from stylelib.lessons import theme; "
        "import stylelib.lessons.cnn.figures_maps, stylelib.lessons.style.figures; "
        "from stylelib.studio import Painter; from stylelib.studio.curve import loss_curve; "
        f"painter = Painter(**{QUICK | {'steps': 2}!r}); run = painter.paint(); "
        "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.savefig(io.BytesIO()); "
        "loss_curve(run.losses, run.recipe.stages()); print(painter.save())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=bare(PYTHONIOENCODING="ascii"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert load_image(done.stdout.strip()).shape == (1, 3, 27, 48)


@pytest.mark.parametrize("many", [3, pytest.param(12, marks=pytest.mark.slow)])
def test_many_processes_paint_in_one_folder(folder: Path, many: int) -> None:
    """Like a class in a shared folder: nobody's picture overwrites another's."""
    small = ["--size", "32", "--steps", "1", "--content-layers", "conv1_2"]
    small += ["--style-layers", "conv1_1", "--device", "cpu"]
    command = [sys.executable, "-m", "stylelib", "paint", "camel", "hokusai-great-wave", *small]
    started = [
        subprocess.Popen(
            [*command, "--seed", str(seed)],
            env=bare(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(many)
    ]
    told = [process.communicate(timeout=300) for process in started]
    assert [process.returncode for process in started] == [0] * many, told
    names = {out.partition(":")[0] for out, _ in told}
    assert len(names) == many and names == set(os.listdir(folder))
    recipes = [read_recipe(name) for name in names]
    assert {recipe["recipe"]["seed"] for recipe in recipes if recipe} == set(range(many))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this computer has one")
def test_cuda_requested_but_missing(
    camel: Tensor, painting: Tensor, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StylelibError, match=r"no working cuda device.*'cpu'"):
        Transfer(camel, painting, device="cuda")
    given = ["paint", "camel", "hokusai-great-wave", "--size", "32"]
    assert cli.main([*given, "--device", "cuda"]) == 1
    assert "no working cuda device" in capsys.readouterr().err
    assert os.listdir() == []
