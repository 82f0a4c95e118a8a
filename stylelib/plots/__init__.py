"""Every figure of the lessons."""

from .pictures import pictures as pictures
from .theme import COLORS as COLORS
from .theme import Plot as Plot
