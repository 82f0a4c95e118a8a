"""The pictures and trained networks that come with stylelib, and who made them."""

from dataclasses import dataclass
from pathlib import Path

from ...errors import pick


@dataclass(frozen=True)
class Sample:
    """A picture that comes with stylelib; its licence is in a file beside it."""

    name: str
    title: str
    maker: str
    kind: str  # "photo" or "painting"

    @property
    def path(self) -> Path:
        """Where the file is."""
        return Path(__file__).with_name(f"{self.name}.jpg")

    @property
    def caption(self) -> str:
        """Title and maker, to show under the picture."""
        return f"{self.title} ({self.maker})"


SAMPLES = {
    name: Sample(name, title, maker, kind)
    for name, title, maker, kind in [
        ("camel", "A Bactrian camel and her calf", "photograph by Alexandr Frolov", "photo"),
        ("hokusai-great-wave", "The Great Wave off Kanagawa", "Hokusai, about 1831", "painting"),
        ("hokusai-poppies", "Poppies", "Hokusai, about 1833", "painting"),
        ("hiroshige-inokashira-snow", "The Benzaiten Shrine at Inokashira in Snow",
         "Hiroshige, about 1843", "painting"),
        ("hiroshige-horse-mackerel-and-prawn", "Horse-mackerel and Prawn",
         "Hiroshige, about 1832", "painting"),
        ("renoir-moulin-de-la-galette", "Bal du moulin de la Galette", "Renoir, 1876", "painting"),
        ("van-gogh-village-street-in-auvers", "Village Street in Auvers",
         "Van Gogh, 1890", "painting"),
        ("cassatt-summertime", "Summertime", "Cassatt, 1894", "painting"),
        ("kandinsky-composition-viii", "Composition VIII", "Kandinsky, 1923", "painting"),
    ]
}  # fmt: skip
"""Every sample by its name."""

NETWORKS = {
    name: Path(__file__).with_name(name) for name in ("eight-paintings.pt", "hokusai-great-wave.pt")
}
"""Feed-forward networks that come with stylelib."""


def sample(name: str) -> Sample:
    """The sample of that name, or an error that names the most similar ones."""
    return SAMPLES[pick(name, SAMPLES, "sample picture")]
