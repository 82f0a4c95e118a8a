"""The picture on the page: compare by dragging on it, zoom, full screen; see easel.js."""

from pathlib import Path

import traitlets

from .part import Part, script

_HERE = Path(__file__).parent


class Split(traitlets.HasTraits):
    """How much of the picture is covered by what it is compared with, in percent."""

    min, max = 0, 100
    value = traitlets.Int(0, min=min, max=max)


class Easel(Part):
    """A picture and, left of a line that can be dragged, another one."""

    _esm = script("easel.js")
    _css = _HERE / "studio.css"
    value = traitlets.Bytes().tag(sync=True)  # a JPEG file, as `before` is
    before = traitlets.Bytes().tag(sync=True)  # empty if there is nothing to compare with
    split = traitlets.Int(0, min=0, max=100).tag(sync=True)  # where the line is, in percent
    shape = traitlets.List([16, 9]).tag(sync=True)  # width and height; only their ratio counts
    name = traitlets.Unicode("after").tag(sync=True)
    before_name = traitlets.Unicode("before").tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
