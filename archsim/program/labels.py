"""Takes labels of ops apart: [LAYER.]NAME[[PLACE]], as "l1.mac[3.0]", or "l1r.mac[3.0]" of a cell in reverse."""

from __future__ import annotations

import re
from typing import NamedTuple

_FORM = re.compile(r"(?:l(?P<layer>\d+)r?\.)?(?P<name>[^\[]*?)\s*(?:\[(?P<place>[^\]]*)\])?(?:\+\d+)?$")


class Label(NamedTuple):
    """The parts of a label; layer 0 and no place where it has none."""

    layer: int
    name: str
    place: str


def label_parts(label: str) -> Label:
    """The parts of a label; of one that has not this form all of it is the name."""
    found = _FORM.fullmatch(label)
    if found is None:
        return Label(0, label, "")
    return Label(int(found["layer"] or 0), found["name"], found["place"] or "")
