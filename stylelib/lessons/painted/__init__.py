"""What mistakes paint: hints that have a picture. `benchmarks/painted_mistakes.py` paints them."""

from pathlib import Path


class Hint(str):
    """The hint that a mistake gets, and the name of the picture that the mistake paints.

    Examples
    --------
    >>> Hint("this goes uphill.", "uphill").paints
    'uphill'
    """

    paints: str

    def __new__(cls, text: str, paints: str) -> "Hint":
        """A text with a picture."""
        hint = super().__new__(cls, text)
        hint.paints = paints
        return hint


def painted(message: str) -> bytes | None:
    """The JPEG file that belongs to a message; None for a message without a picture."""
    if not isinstance(message, Hint):
        return None
    return Path(__file__).with_name(f"{message.paints}.jpg").read_bytes()
