"""``stylelib doctor``: whether stylelib works on this computer, and if not, why."""

from ..version import __version__
from .telling import tell


def doctor() -> int:
    """Print each finding as it comes, and return the exit status: 0 if this computer works."""
    from .examine import examine

    tell(f"stylelib {__version__}")
    wrong = 0
    for finding in examine():
        bad = finding.remedy is not None and finding.matters
        mark = "WRONG" if bad else "note" if finding.remedy else "ok"
        tell(f"{mark:5}  {finding.topic}: {finding.words}.")
        wrong += bad
        if finding.remedy:
            tell(f"       -> {finding.remedy.rstrip('.')}.")
    if wrong:
        found = "One thing is wrong." if wrong == 1 else f"{wrong} things are wrong."
        tell()
        tell(f"{found} Do what it says after each ->, then run the doctor again.")
        tell("If that does not help, report the problem, with all of the above.")
        return 1
    tell()
    tell("This computer works. It needs no internet and no graphics card.")
    return 0
