"""A folder of photos, painted one after the other with the settings of the studio."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets

from ..batch.painting import Painted, carry_out
from ..batch.plan import Order, Wish, plan
from ..batch.report import save_report, summary
from ..batch.workers import in_turn
from ..checks import as_path
from ..errors import StylelibError
from .jobs import Job, in_words, running_loop
from .picture import Picture

_WORDS = (
    "Every photo in a folder beside this notebook, and in the folders in it, is painted with the "
    "settings as they are now. Each picture is saved as soon as it is done. The next time, what is "
    "done is skipped, so you can stop and go on another day."
)
_TEXTS = {
    "painting": "{done} of {all} pictures are done. Stop ends after the picture that is being "
    "painted.",
    "stopping": "{done} of {all} pictures are done. It ends after the picture that is being "
    "painted.",
    "paused": "{done} of {all} pictures are done. The rest waits until you resume.",
    "idle": "",
}
_SAVED = "{summary} They are in the folder <b>{folder}</b>; {report} there shows all of them."
REPORT = "report.html"


class _Nothing:
    """What a `Job` asks of a network, of work that has none to keep."""

    def forget(self) -> None:
        """Nothing is kept."""


class _Album:
    """Pictures painted one after the other, as if each were a step of one transfer."""

    stopped, network = None, _Nothing()

    def __init__(self, orders: list[Order]) -> None:
        self._painted = carry_out(orders, in_turn)

    def __next__(self) -> Painted:
        return next(self._painted)[1]


class Folder(ipywidgets.VBox):
    """Paints a folder of photos in the background; see `stylelib.paint_all`."""

    def __init__(self) -> None:
        self.name = ipywidgets.Text(
            "photos",
            description="folder",
            tooltip="The folder with the photos, beside this notebook",
            style={"description_width": "initial"},
            layout={"width": "auto"},
        )
        self.button = ipywidgets.Button(
            description="Paint them all",
            icon="images",
            tooltip="Paint every photo of the folder, one after the other",
        )
        self.halt = ipywidgets.Button(
            description="Stop", icon="stop", tooltip="End after the picture that is being painted"
        )
        self.bar = ipywidgets.IntProgress(tooltip="How many pictures are done")
        self.text = ipywidgets.HTML()
        words = ipywidgets.HTML(f"<div class='stylelib-words'>{_WORDS}</div>")
        row = ipywidgets.HBox([self.name, self.button, self.halt, self.bar])
        row.add_class("stylelib-bar")
        super().__init__([words, row, self.text])
        self.painted: list[Painted] = []
        self._place, self._all = Path(), 0
        self._job = Job(self._refresh)
        self._refresh()

    def connect(self, studio: Any) -> None:
        """Paint with the paintings and settings of this studio."""
        self._studio = studio
        self.button.on_click(lambda _: self._pressed())
        self.halt.on_click(lambda _: self.stop())

    def start(self) -> None:
        """Paint in the background; outside a notebook, right here.

        Raises
        ------
        StylelibError
            If the studio is busy, or there is nothing that can be painted.
        """
        studio = self._studio
        if studio.state != "idle" or self._job.busy:
            raise StylelibError("A picture is being painted. Stop it, or wait until it is done.")
        extras, recipe = studio.extras(), studio.recipe
        if extras.get("mask") is not None:
            raise StylelibError("A mask is drawn for a single photo. Remove it, then start again.")
        second = extras.get("second")
        styles = [_file(p) for p in (studio.paintings.picture, second) if p is not None]
        folder = as_path(self.name.value.strip() or ".")
        self._place = folder.with_name(f"{folder.name or 'photos'}-painted")
        wish = Wish(recipe, keep_colors=bool(extras.get("colors")))
        orders = plan([str(folder)], styles, self._place, wish, blend=second is not None)
        self.painted, self._all = [], len(orders)
        self._job = job = Job(self._refresh, self._job)
        begin = job.run if running_loop() is None else job.start
        begin(lambda: _Album(orders), self._add)  # type: ignore[arg-type, return-value]
        self._refresh()

    def stop(self) -> None:
        """End after the picture that is being painted."""
        self._job.stop()
        self._refresh()

    def _add(self, painted: Any, changes: Any, seconds: float) -> None:
        self.painted.append(painted)

    def _pressed(self) -> None:
        try:
            if self._job.state == "paused":
                self._job.resume()
                self._refresh()
            else:
                self.start()
        except StylelibError as error:
            self.text.value = f"<b>{escape(str(error))}</b>"

    def _refresh(self) -> None:
        if self.comm is None:  # closed in the meantime
            return
        state, busy = self._job.state, self._job.busy
        state = state if state in _TEXTS else "painting"
        self.bar.max, self.bar.value = max(1, self._all), len(self.painted)
        self.text.value = _TEXTS[state].format(done=len(self.painted), all=self._all)
        if self._job.over and not busy:
            self.text.value = "".join(f"<p>{line}</p>" for line in self._told())
        self.button.description = "Resume" if state == "paused" else "Paint them all"
        self.button.disabled = busy and state != "paused"
        for part in (self.halt, self.bar):
            part.layout.display = None if busy else "none"

    def _told(self) -> Iterator[str]:
        """What became of the pictures, in sentences."""
        if self._job.error:
            yield f"<b>{escape(self._job.error)}</b>"
        if self.painted:
            try:
                report = save_report(self.painted, self._place / REPORT).name
                folder = escape(str(self._place))
                yield _SAVED.format(summary=summary(self.painted), folder=folder, report=report)
            except StylelibError as error:
                yield escape(in_words(error))
        for one in self.painted:
            if one.error:
                yield f"{escape(one.photo)}: {escape(one.error)}"


def _file(picture: Picture) -> str:
    """What a plan calls a painting: a sample's name, or a file."""
    if isinstance(picture.source, str | Path):
        return str(picture.source)
    raise StylelibError(
        f"{picture.label} was only dropped here. Put its file beside the notebook and open it from "
        f'there, with Studio(style="…"), so that a picture can record which file it was made from.'
    )
