"""Learn neural style transfer by doing it: making camels prettier with AI.

The names below are all there is to know; each loads what it needs when it is
first used, so that ``import stylelib`` takes no time.
"""

from importlib import import_module
from os import environ

TYPE_CHECKING = False  # type checkers take it for True; importing typing takes its time
if TYPE_CHECKING:
    from typing import Any

    from .color import keep_colors as keep_colors
    from .color import match_colors as match_colors
    from .errors import StylelibError as StylelibError
    from .feedforward import FeedForward as FeedForward
    from .film import save_film as save_film
    from .images import load_image as load_image
    from .images import load_mask as load_mask
    from .images import read_recipe as read_recipe
    from .images import resize as resize
    from .images import save_image as save_image
    from .images import to_pil as to_pil
    from .losses import content_loss as content_loss
    from .losses import gram_matrix as gram_matrix
    from .losses import style_loss as style_loss
    from .losses import target_loss as target_loss
    from .losses import total_variation as total_variation
    from .objective import Style as Style
    from .recipes import RECIPES as RECIPES
    from .recipes import Recipe as Recipe
    from .samples import SAMPLES as SAMPLES
    from .statistics import STATISTICS as STATISTICS
    from .training import TrainingStep as TrainingStep
    from .training import train as train
    from .transfer import Step as Step
    from .transfer import Transfer as Transfer
    from .vgg import LAYERS as LAYERS
    from .vgg import VGG19 as VGG19
    from .vgg import features as features
    from .vgg import load_vgg19 as load_vgg19

_HOMES = {
    "color": ["keep_colors", "match_colors"],
    "errors": ["StylelibError"],
    "feedforward": ["FeedForward"],
    "film": ["save_film"],
    "images": ["load_image", "load_mask", "read_recipe", "resize", "save_image", "to_pil"],
    "losses": ["content_loss", "gram_matrix", "style_loss", "target_loss", "total_variation"],
    "objective": ["Style"],
    "recipes": ["RECIPES", "Recipe"],
    "samples": ["SAMPLES"],
    "statistics": ["STATISTICS"],
    "training": ["TrainingStep", "train"],
    "transfer": ["Step", "Transfer"],
    "vgg": ["LAYERS", "VGG19", "features", "load_vgg19"],
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

# Read when PyTorch is loaded. On Linux its threads wait for each other turning round and round:
# where another program has one of two cores, a step takes 20 to 35 times as long
# (benchmarks/busy.py). So they sleep after a tenth of a millisecond: operations follow sooner.
if "OMP_WAIT_POLICY" not in environ:
    environ.setdefault("GOMP_SPINCOUNT", "3000")

__version__ = "0.1.0"
__all__ = sorted(_HOME)


def __getattr__(name: str) -> "Any":
    if name not in _HOME:
        raise AttributeError(f"module 'stylelib' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
