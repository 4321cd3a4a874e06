"""Finds recurrent layers in a bare state_dict: torch's names and the tensors' shapes say what they are.

Source: the parameters of torch.nn.LSTM, GRU and RNN and of their cells ("Variables" in PyTorch's documentation). The
rows of weight_hh are 4, 3 or 1 times the hidden units: LSTM, GRU or RNN. Nothing here tells an RNN's function.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from archsim.config.text import shorten
from archsim.errors import FaultsError
from archsim.importers.found import FoundLayer, Refused, Shape, Unsupported, float32, layer_config, unique_names
from archsim.importers.tensors.view import TensorView
from archsim.workload.network import RECURRENT_KINDS, CellKind

MAX_LAYERS = 64
_KINDS = {kind.gates: kind for kind in RECURRENT_KINDS}
TORCH_NAME = re.compile(
    r"(?:(?P<prefix>.*)\.)?(?P<what>weight_ih|weight_hh|weight_hr|bias_ih|bias_hh|peephole|layer_norm(?=_l[0-9]))"
    r"(?:_l(?P<layer>[0-9]{1,4}))?(?P<reverse>_reverse)?",
    re.DOTALL,
)
_JOINED = re.compile(r"(?:(?P<prefix>.*)\.)?(?:weight|bias)_l[0-9]{1,4}(?:_reverse)?", re.DOTALL)
_COMPUTED = re.compile(r"(?:^|\.)(?:parametrizations\.)?(?:weight|bias)_(?:ih|hh|hr)(?=_|\.|$)")


@dataclass(eq=False)
class _Module:
    """The tensors of one module: (layer, reverse, what) -> name in the file; a cell has the one layer None."""

    names: dict[tuple[int | None, bool, str], str] = field(default_factory=dict)

    @property
    def places(self) -> list[tuple[int | None, bool]]:
        """The layers and directions, in torch's order."""
        return sorted({(layer, reverse) for layer, reverse, _ in self.names}, key=lambda p: (p[0] or 0, p[1]))


@dataclass(frozen=True, slots=True)
class _Cell:
    """The kind and sizes that the shapes of one cell's tensors tell."""

    kind: CellKind
    input_size: int
    hidden_size: int
    proj_size: int
    bias: bool
    peepholes: bool
    layer_norm: bool

    @property
    def output_size(self) -> int:
        return self.proj_size or self.hidden_size


@dataclass(frozen=True, slots=True)
class InStateDict:
    """What is found: layers, those not supported, and the names of all other tensors."""

    layers: tuple[FoundLayer, ...]
    unsupported: tuple[Unsupported, ...]
    others: tuple[str, ...]


def find_in_state_dict(view: TensorView, nonlinearity: str | None) -> InStateDict:
    """Find all recurrent layers under torch's names."""
    modules, unsupported, others = _modules(view.shapes)
    layers = []
    titles = unique_names([prefix or "state_dict" for prefix in modules])
    for title, module in zip(titles, modules.values(), strict=True):
        try:
            layers.append(_layer(title, module, view, nonlinearity))
        except Refused as error:
            unsupported.append(Unsupported(title, str(error)))
        except FaultsError as error:
            unsupported.append(Unsupported(title, error.faults[0].message))
    return InStateDict(tuple(layers), tuple(unsupported), tuple(others))


def _modules(shapes: Mapping[str, Shape]) -> tuple[dict[str, _Module], list[Unsupported], list[str]]:
    modules: dict[str, _Module] = {}
    joined: dict[str, str] = {}
    computed: dict[str, str] = {}
    others: list[str] = []
    for name in shapes:
        if match := TORCH_NAME.fullmatch(name):
            layer = None if match["layer"] is None else int(match["layer"])
            module = modules.setdefault(match["prefix"] or "", _Module())
            module.names[layer, match["reverse"] is not None, match["what"]] = name
        elif match := _JOINED.fullmatch(name):
            joined.setdefault(match["prefix"] or "state_dict", name)
        elif match := _COMPUTED.search(name):
            computed.setdefault(name[: match.start()] or "state_dict", name)
        else:
            others.append(name)
    unsupported = [
        Unsupported(
            shorten(prefix),
            f"{shorten(name)} may be one matrix over [x, h] of an LSTM, a GRU or an RNN: write the workload by hand "
            "(kind, input_size and hidden_size say which; its section weights takes this form)",
        )
        for prefix, name in joined.items()
    ]
    unsupported += [
        Unsupported(shorten(prefix), f"{shorten(name)}: weights that the module computes (normalized or dropped)")
        for prefix, name in computed.items()
    ]
    return modules, unsupported, others


def _layer(title: str, module: _Module, view: TensorView, nonlinearity: str | None) -> FoundLayer:
    shapes = view.shapes
    places = module.places
    both = any(reverse for _, reverse in places)
    count = _layer_count(places, both)
    cells = [_cell(_shapes_at(module, place, shapes), _suffix(*place)) for place in places]
    first = cells[0]
    _check_stack(cells, both)
    config = layer_config(
        kind=first.kind,
        hidden_size=first.hidden_size,
        proj_size=first.proj_size,
        bias=first.bias,
        bidirectional=both,
        peepholes=first.peepholes,
        layer_norm=first.layer_norm,
        nonlinearity=nonlinearity or "tanh" if first.kind is CellKind.RNN else "tanh",
    )
    tensors = view.read({name: shapes[name] for name in module.names.values()})
    canonical = {
        f"{what}{_suffix(layer or 0, reverse)}": float32(name, tensors[name])
        for (layer, reverse, what), name in sorted(module.names.items(), key=lambda item: item[1])
    }
    tells_nothing = first.kind is CellKind.RNN and nonlinearity is None
    notes = [view.notes[name] for name in module.names.values() if name in view.notes]
    if tells_nothing:
        notes.append("a state_dict does not say whether it is tanh or relu; taken as tanh (--nonlinearity relu)")
    words = "something that a state_dict does not name"
    return FoundLayer(title, config, first.input_size, canonical, count, input_from=words, notes=tuple(notes))


def _layer_count(places: list[tuple[int | None, bool]], both: bool) -> int:
    """How many layers there are; Refused if any is missing."""
    numbers = sorted({layer for layer, _ in places}, key=lambda layer: (layer is not None, layer or 0))
    if None in numbers and len(numbers) > 1:
        raise Refused("has tensors of a cell (weight_ih) and of layers (weight_ih_l0) in one module")
    count = len(numbers)
    if count > MAX_LAYERS:
        raise Refused(f"has {count} layers, at most {MAX_LAYERS} are supported")
    if numbers != [None]:
        missing = [number for number in range(count) if number not in numbers]
        if missing:
            raise Refused(f"layer l{missing[0]} is missing, but there is l{numbers[-1]}")
    if len(places) != count * (2 if both else 1):
        raise Refused("some layers have a reverse direction and others have none")
    if both and not all((layer, reverse) in places for layer in numbers for reverse in (False, True)):
        raise Refused("has a reverse direction, but no forward one")
    return count


def _shapes_at(module: _Module, place: tuple[int | None, bool], shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    return {what: shapes[name] for (*at, what), name in module.names.items() if tuple(at) == place}


def _suffix(layer: int | None, reverse: bool) -> str:
    return ("" if layer is None else f"_l{layer}") + ("_reverse" if reverse else "")


def _cell(found: Mapping[str, Shape], suffix: str) -> _Cell:
    """The kind and sizes of a cell, by its shapes alone; Refused if they fit nothing."""
    for what in ("weight_ih", "weight_hh"):
        if what not in found:
            raise Refused(f"{what}{suffix} is missing")
    for what, shape in found.items():
        dimensions = 2 if what.startswith("weight") else 1
        if len(shape) != dimensions or 0 in shape:
            raise Refused(f"{what}{suffix} has shape {list(shape)}, expected {dimensions} dimensions")
    rows, columns = found["weight_hh"]
    projection = found.get("weight_hr")
    hidden = columns if projection is None else projection[1]
    gates = rows // hidden
    kind = _KINDS.get(gates)
    if kind is None or rows % hidden or (projection is not None and kind is not CellKind.LSTM):
        raise Refused(_fits_nothing(rows, columns, projection, suffix))
    cell = _Cell(
        kind,
        found["weight_ih"][1],
        hidden,
        0 if projection is None else projection[0],
        "bias_ih" in found or "bias_hh" in found,
        "peephole" in found,
        "layer_norm" in found,
    )
    _check_shapes(cell, found, suffix)
    return cell


def _fits_nothing(rows: int, columns: int, projection: Shape | None, suffix: str) -> str:
    if projection is not None:
        return (
            f"weight_hh{suffix} has {rows:,} rows and weight_hr{suffix} has shape {list(projection)}; a projection "
            "fits only an LSTM, of 4 rows a hidden unit"
        )
    return (
        f"weight_hh{suffix} has shape [{rows:,}, {columns:,}], which is no LSTM (4 rows a column), GRU (3) or RNN (1); "
        f"an LSTM with a projection needs weight_hr{suffix}"
    )


def _check_shapes(cell: _Cell, found: Mapping[str, Shape], suffix: str) -> None:
    rows = cell.kind.gates * cell.hidden_size
    expected: dict[str, Shape] = {
        "weight_ih": (rows, cell.input_size),
        "weight_hh": (rows, cell.output_size),
        "bias_ih": (rows,),
        "bias_hh": (rows,),
        "weight_hr": (cell.proj_size, cell.hidden_size),
        "peephole": (3 * cell.hidden_size,),
        "layer_norm": (rows,),
    }
    for what in ("bias_ih", "bias_hh"):
        if cell.bias and what not in found:
            raise Refused(f"{what}{suffix} is missing, but the other bias is there")
    for what, shape in found.items():
        if shape != expected[what]:
            kind = cell.kind.value.upper()
            raise Refused(f"{what}{suffix} has shape {list(shape)}, expected {list(expected[what])} for this {kind}")


def _check_stack(cells: list[_Cell], both: bool) -> None:
    """Check that all layers of a torch module are alike, and each takes the outputs of the one below."""
    first = cells[0]
    directions = 2 if both else 1
    for number, cell in enumerate(cells):
        size = first.input_size if number < directions else first.output_size * directions
        if _like(cell) != _like(first) or cell.input_size != size:
            raise Refused(f"layer {number // directions} is not of the kind or size that follows from layer 0")


def _like(cell: _Cell) -> tuple[object, ...]:
    return cell.kind, cell.hidden_size, cell.proj_size, cell.bias, cell.peepholes, cell.layer_norm
