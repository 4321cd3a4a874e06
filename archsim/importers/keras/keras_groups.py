"""Sorts the tensors of a Keras file into the cells of its layers, by the paths under which they lie."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from archsim.config.text import shorten
from archsim.importers.found import Refused
from archsim.importers.keras.keras_config import KerasLayer
from archsim.importers.keras.keras_layer import KerasCell

_LEAF = re.compile(r"(?P<cell>.*?)/?(?:vars/(?P<number>[0-9]+)|(?P<what>kernel|recurrent_kernel|bias)(?::[0-9]+)?)")
_ORDER = ("kernel", "recurrent_kernel", "bias")
_WRAPPING = re.compile(r"model_weights|layers|_layer_checkpoint_dependencies")
_CELL = re.compile(r"(?:.*_)?cell(?:_[0-9]+)?")
_DIRECTION = re.compile(r"(forward|backward)_.*")
_NUMBERS = re.compile("([0-9]+)")
Cells = dict[str, KerasCell | Refused]
"""The cells of a layer by direction: "", forward or backward."""


def grouped(
    tensors_of_file: Mapping[str, npt.NDArray[np.float64]], configured: Mapping[str, KerasLayer], archive: bool
) -> dict[str, Cells]:
    """The cells by layer, in the order of the model, or of their numbers where the file does not tell that.

    `archive`: the weights lie under the names of classes, as in a .keras archive, not of layers.
    """
    parts: dict[str, dict[str, npt.NDArray[np.float64]]] = {}
    for name, tensor in tensors_of_file.items():
        match = _LEAF.fullmatch(name)
        if match is not None:
            number = match["number"]
            what = match["what"] or (_ORDER[int(number)] if int(number) < len(_ORDER) else f"variable {number}")
            parts.setdefault(match["cell"], {})[what] = tensor
    groups: dict[str, Cells] = {}
    places = {layer.place: layer.name for layer in configured.values()}
    for cell, tensors in parts.items():
        name, direction = _place_in_archive(cell, places) if archive else _place(cell, configured)
        inside = groups.setdefault(name, {})
        inside[direction if direction not in inside else f"{direction} again"] = _cell(tensors)
    order = {name: number for number, name in enumerate(configured)}
    return dict(sorted(groups.items(), key=lambda group: (order.get(group[0], len(order)), _numbered(group[0]))))


def _numbered(name: str) -> list[tuple[int, str]]:
    """A key by which lstm_10 comes after lstm_9, and lstm before both."""
    parts = _NUMBERS.split(name)
    return [(int(part[:18]), "") if place % 2 else (0, part) for place, part in enumerate(parts)]


def _place_in_archive(cell: str, places: Mapping[tuple[str, ...], str]) -> tuple[str, str]:
    """The layer whose class and number a cell's path names, and the direction in it."""
    parts = [part for part in cell.split("/") if part and not _WRAPPING.fullmatch(part)]
    if parts and _CELL.fullmatch(parts[-1]):
        parts.pop()
    direction = _DIRECTION.fullmatch(parts[-1]) if parts else None
    if direction is not None:
        parts.pop()
    name = places.get(tuple(parts))
    return name or shorten("/".join(parts), 300) or "layer", direction[1] if direction else ""


def _place(cell: str, configured: Mapping[str, KerasLayer]) -> tuple[str, str]:
    """The layer to which a cell's path belongs, and the direction in it."""
    parts = [part for part in cell.split("/") if part and not _WRAPPING.fullmatch(part)]
    known = [part for part in parts if part in configured]
    directions = [match[1] for part in parts if (match := _DIRECTION.fullmatch(part))]
    if known:
        layer = configured[known[-1]]
        return known[-1], directions[-1] if directions and layer.backward is not None else ""
    if parts and _CELL.fullmatch(parts[-1]):
        parts.pop()
    kept = list(dict.fromkeys(part for part in parts if not _DIRECTION.fullmatch(part)))
    if kept and directions:
        return shorten("/".join(kept), 300), directions[-1]
    return shorten("/".join(dict.fromkeys(parts)), 300) or "layer", ""


def _cell(tensors: Mapping[str, npt.NDArray[np.float64]]) -> KerasCell | Refused:
    unknown = [what for what in tensors if what not in _ORDER]
    missing = [what for what in _ORDER[:2] if what not in tensors]
    if unknown or missing:
        return Refused(f"its {missing[0]} is missing" if missing else f"its {unknown[0]} is not known")
    with np.errstate(over="ignore"):
        kernel, recurrent, bias = (tensors[what].astype(np.float32) if what in tensors else None for what in _ORDER)
    assert kernel is not None
    assert recurrent is not None
    return KerasCell(kernel, recurrent, bias)


def directions(cells: Cells) -> list[KerasCell]:
    """The one cell, or forward and backward; Refused if there is anything else."""
    if set(cells) not in ({""}, {"forward", "backward"}):
        raise Refused(f"has {len(cells)} cells, expected one, or a forward and a backward one")
    chosen = []
    for name in sorted(cells, reverse=True):  # forward, backward
        cell = cells[name]
        if isinstance(cell, Refused):
            raise cell
        chosen.append(cell)
    return chosen
