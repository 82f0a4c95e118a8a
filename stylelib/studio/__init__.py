"""The painting application: a painter for lesson 00, and the studio with every setting."""

from .live import Live as Live
from .painter import Painter as Painter
from .studio import Studio as Studio
