"""Every control of the lessons; the only part that knows about the browser."""

from .explorer import Explorer as Explorer
from .painter import Painter as Painter
from .studio import Studio as Studio
