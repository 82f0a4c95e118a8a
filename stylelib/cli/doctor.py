"""``stylelib doctor``: whether it works on this computer, and if not, why."""

from ..version import __version__
from .examine import examine


def doctor() -> int:
    """Tell each finding as it comes; the exit status: 0 if this computer works."""
    print(f"stylelib {__version__}")
    wrong = 0
    for finding in examine():
        mark = "WRONG" if finding.remedy else "ok"
        print(f"{mark:5}  {finding.topic}: {finding.words}.", flush=True)
        if finding.remedy:
            wrong += 1
            print(f"       -> {finding.remedy.rstrip('.')}.", flush=True)
    if wrong:
        things = "1 thing is" if wrong == 1 else f"{wrong} things are"
        print(f"\n{things} not right: do what stands after ->, and ask the doctor again.")
        print("If that does not help, all of the above belongs into a report of the problem.")
        return 1
    print("\nThis computer works. It needs no internet, and no graphics card.")
    return 0
