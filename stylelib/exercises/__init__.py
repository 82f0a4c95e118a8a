"""Checks of what a student wrote. The answers are not here."""

from . import lesson01 as lesson01
from . import lesson02 as lesson02  # registers its exercises, as each lesson's does
from . import lesson03 as lesson03
from . import lesson04 as lesson04
from . import lesson06 as lesson06
from . import whole_loop as whole_loop
from .checking import Verdict as Verdict
from .checking import check as check
