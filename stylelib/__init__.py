"""Learn neural style transfer by doing it: making camels prettier with AI.

The public names are listed in ``__init__.pyi``. Each loads its module when it is
first used, so that ``import stylelib`` itself takes next to no time.
"""

import lazy_loader

from .errors import check_folder
from .threads import need_main_interpreter, one_thread_in_forks, wait_asleep
from .version import __version__ as __version__

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

need_main_interpreter()
wait_asleep()
one_thread_in_forks()


def __getattr__(name: str) -> object:
    """Load a public name, unless loading PyTorch for it would end Python."""
    if name in __all__:
        check_folder()
    return _load(name)
