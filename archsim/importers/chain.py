"""Finds which of the layers found make one stack, each fed by the one below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from archsim.config.text import shorten
from archsim.importers.codes import Codes
from archsim.importers.faults import fault
from archsim.importers.found import Float32Array, Found, FoundLayer, Refused, layer_config
from archsim.workload.calibration import Range
from archsim.workload.config import FunctionConfig, LayerConfig

T = TypeVar("T")

ALL = "all"
"""Instead of a layer's name: the whole stack."""


def select(found: Found, name: str) -> tuple[FoundLayer, ...]:
    """Select the layer of that name (or of which it is the end), or the stack of `all`.

    WorkloadError if there is none.
    """
    if name == ALL:
        return _stack(found)
    exact = [layer for layer in found.layers if layer.name == name]
    ending = exact or [layer for layer in found.layers if layer.name.endswith((f"/{name}", f".{name}"))]
    if len(ending) == 1:
        return (ending[0],)
    for entry in found.unsupported:
        if entry.name == name or entry.name.partition(" (")[0] == name:
            raise fault(found.path, f"not supported: {entry.reason}", name)
    listed = ", ".join(layer.name for layer in ending or found.layers) or "none"
    problem = "several layers have that name" if ending else "no layer of that name; there are"
    raise fault(found.path, f"{problem}: {shorten(listed, 1000)}", f"--layer {shorten(name)}")


def _stack(found: Found) -> tuple[FoundLayer, ...]:
    if found.unsupported:
        entry = found.unsupported[0]
        message = f"not all layers are supported ({entry.name}: {entry.reason}); choose one with --layer NAME"
        raise fault(found.path, message)
    units = _units(found)
    faults = _gaps(units)
    if faults:
        raise fault(
            found.path, f"the layers are no single stack: {'; '.join(faults[:4])}; choose one with --layer NAME"
        )
    order = [unit for unit in units if not unit.fed_by]
    while len(order) < len(units):
        order.append(next(unit for unit in units if unit.fed_by == _members(order[-1], found)))
    return tuple(order)


def _members(unit: FoundLayer, found: Found) -> tuple[str, ...]:
    """The names in `fed_by` of a layer that the unit feeds: both of a pair."""
    return next((pair for pair in found.pairs if _pair_name(pair) == unit.name), (unit.name,))


def _pair_name(pair: tuple[str, str]) -> str:
    return " and ".join(pair)


def _units(found: Found) -> list[FoundLayer]:
    """The layers with the two of a pair as one bidirectional layer."""
    layers = {layer.name: layer for layer in found.layers}
    paired = {name for pair in found.pairs for name in pair}
    units = [layer for layer in found.layers if layer.name not in paired]
    for pair in found.pairs:
        if any(name not in layers for name in pair):
            raise fault(found.path, "two pairs of directions share a layer; choose one with --layer NAME")
        try:
            units.append(join_directions(_pair_name(pair), layers.pop(pair[0]), layers.pop(pair[1])))
        except Refused as error:
            raise fault(found.path, f"cannot be one bidirectional layer: {error}", _pair_name(pair)) from error
    return units


def _gaps(units: list[FoundLayer]) -> list[str]:
    """The reasons why the layers are not one stack; empty if they are."""
    bottoms = [unit for unit in units if not unit.fed_by]
    gaps = []
    if len(bottoms) != 1:
        gaps += [f"{unit.name} is fed by {unit.input_from or 'something else'}" for unit in bottoms]
    fed: dict[tuple[str, ...], str] = {}
    names = {unit.name for unit in units}
    for unit in units:
        if not unit.fed_by:
            continue
        if " and ".join(unit.fed_by) not in names:
            gaps.append(f"{unit.name} is fed by only a part of {unit.input_from}")
        elif unit.fed_by in fed:
            gaps.append(f"{unit.name} and {fed[unit.fed_by]} are both fed by {' and '.join(unit.fed_by)}")
        fed[unit.fed_by] = unit.name
    if not bottoms and not gaps:
        gaps.append("they feed each other in a circle")
    lengths = {unit.sequence_lens for unit in units}
    if len(lengths) > 1:
        gaps.append("they have different sequence_lens")
    if len({unit.batch_first for unit in units}) > 1:
        gaps.append("some have the batch first and others not")
    return gaps


_SAME_IN_BOTH = (
    "kind",
    "hidden_size",
    "proj_size",
    "clip",
    "input_forget",
    "peepholes",
    "layer_norm",
    "bias",
    "linear_before_reset",
)


def join_directions(name: str, forward: FoundLayer, reverse: FoundLayer) -> FoundLayer:
    """Join a forward and a reverse layer over the same input into one; Refused if they differ."""
    first, second = forward.config, reverse.config
    for field in _SAME_IN_BOTH:
        if getattr(first, field) != getattr(second, field):
            raise Refused(f"their {field} differs")
    if forward.sequence_lens != reverse.sequence_lens or forward.input_size != reverse.input_size:
        raise Refused("their inputs differ")
    alike = first.activations == second.activations and first.nonlinearity == second.nonlinearity
    fields = {field: getattr(first, field) for field in LayerConfig.model_fields}
    if not alike:
        fields |= {"activations": _functions(forward) + _functions(reverse), "nonlinearity": "tanh"}
    renamed = {f"{key}_reverse": tensor for key, tensor in reverse.tensors.items()}
    return replace(
        forward,
        name=name,
        config=layer_config(**(fields | {"bidirectional": True, "reverse": False})),
        tensors={**forward.tensors, **renamed},
        codes={**forward.codes, **{f"{key}_reverse": codes for key, codes in reverse.codes.items()}},
        h_0=_both(forward.h_0, reverse.h_0),
        c_0=_both(forward.c_0, reverse.c_0),
        any_batch=_all_any_batch((forward, reverse)),
        notes=tuple(dict.fromkeys((*forward.notes, *reverse.notes))),
    )


def _functions(layer: FoundLayer) -> tuple[FunctionConfig, ...]:
    functions = layer.config.cells(layer.input_size)[0].functions
    return tuple(FunctionConfig.model_validate({"name": f.name, "alpha": f.alpha, "beta": f.beta}) for f in functions)


def _with_states(layers: Iterable[FoundLayer]) -> list[FoundLayer]:
    return [layer for layer in layers if layer.h_0 is not None or layer.c_0 is not None]


def _all_any_batch(layers: Iterable[FoundLayer]) -> bool:
    given = _with_states(layers)
    return bool(given) and all(layer.any_batch for layer in given)


def _both(first: Float32Array | None, second: Float32Array | None) -> Float32Array | None:
    """The states of both directions side by side; zero where one has none."""
    given = [state for state in (first, second) if state is not None]
    if not given:
        return None
    batch = max(state.shape[1] for state in given)
    whole = [np.zeros_like(given[0]) if state is None else state for state in (first, second)]
    return np.concatenate([_for_batch(state, batch) for state in whole])


def _for_batch(state: Float32Array, batch: int) -> Float32Array:
    """The state of one sequence for all of a batch; one of as many sequences as it is."""
    return np.repeat(state, batch, axis=1) if state.shape[1] == 1 else state


def stack_tensors(layers: tuple[FoundLayer, ...]) -> Mapping[str, Float32Array]:
    """The weights of all layers under torch's names, numbered from the bottom."""
    return _numbered([(layer, layer.tensors) for layer in layers])


def stack_codes(layers: tuple[FoundLayer, ...]) -> Mapping[str, Codes]:
    """The codes of all layers' weights under the names of the weights."""
    return _numbered([(layer, layer.codes) for layer in layers])


def stack_ranges(layers: tuple[FoundLayer, ...]) -> Mapping[str, Range]:
    """The ranges that the layers fix, numbered from the bottom; x is the first one's alone."""
    first = {name: found for name, found in layers[0].ranges.items() if name == "x"}
    others = [(layer, {name: found for name, found in layer.ranges.items() if name != "x"}) for layer in layers]
    return first | _numbered(others)


def _numbered(parts: Sequence[tuple[FoundLayer, Mapping[str, T]]]) -> dict[str, T]:
    """What layers have by torch's names, numbered from the bottom."""
    found: dict[str, T] = {}
    below = 0
    for layer, named in parts:
        for name, value in named.items():
            what, _, place = name.rpartition("_l")
            number, underscore, direction = place.partition("_")
            found[f"{what}_l{below + int(number)}{underscore}{direction}"] = value
        below += layer.num_layers
    return found


def stack_states(layers: tuple[FoundLayer, ...], batch: int) -> dict[str, Float32Array]:
    """The h_0 and c_0 of all cells for `batch` sequences, as torch stacks them; empty if all are zero.

    Refused if they cannot be stacked, or are for another number of sequences.
    """
    given = _with_states(layers)
    if not given:
        return {}
    same = {(layer.config.kind, layer.config.proj_size, layer.config.hidden_size) for layer in layers}
    if len(same) > 1:
        raise Refused("their initial states are of different sizes and cannot be stacked; choose one with --layer NAME")
    for layer in given:
        found = next(state.shape[1] for state in (layer.h_0, layer.c_0) if state is not None)
        if found != batch and not layer.any_batch:
            raise Refused(f"its initial state is for a batch of {found}, but the input has {batch}")
    kind, proj_size, hidden = same.pop()
    states = {"h_0": [_state(layer, layer.h_0, batch, proj_size or hidden) for layer in layers]}
    if kind == "lstm":
        states["c_0"] = [_state(layer, layer.c_0, batch, hidden) for layer in layers]
    return {name: np.concatenate(parts) for name, parts in states.items()}


def _state(layer: FoundLayer, state: Float32Array | None, batch: int, size: int) -> Float32Array:
    return np.zeros((layer.cells, batch, size), np.float32) if state is None else _for_batch(state, batch)


def described(layers: tuple[FoundLayer, ...]) -> str:
    """The layers in words, as "LSTM(64, 128)", or "LSTM(64, 128), then GRU(128, 32)"."""
    return ", then ".join(str(layer) for layer in layers)
