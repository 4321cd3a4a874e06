"""Makes layers of cells that a graph writes out in elementary operators, step by step or in a Loop or a Scan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from archsim.config.text import shorten, shown
from archsim.importers.found import Float32Array, FoundLayer, Refused, Unsupported, float32, layer_config
from archsim.importers.onnx.onnx_affine import Atom, Forms
from archsim.importers.onnx.onnx_graph import Proto, Scope, attributes, node_name
from archsim.importers.onnx.onnx_sequence import Chain, chained, input_order
from archsim.importers.onnx.onnx_shapes import permutation
from archsim.importers.onnx.onnx_states import of_one_sequence
from archsim.importers.onnx.onnx_step import Step, steps_in
from archsim.importers.onnx.onnx_values import NotConstant, is_zero
from archsim.importers.onnx.onnx_written import Sums, Weights, sums_of, weights_of
from archsim.workload.config import LayerConfig
from archsim.workload.network import CellKind

ADVICE = (
    "write the model with nn.LSTM, nn.GRU or nn.RNN instead of a loop over cells and export it again, or save its "
    "weights: torch.save(model.state_dict(), 'weights.pt')"
)


@dataclass(frozen=True, slots=True)
class Written:
    """The layers found, what of them feeds what, pairs of directions, and cells that are not understood."""

    layers: tuple[FoundLayer, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    unsupported: tuple[Unsupported, ...] = ()


def written_out(graphs: list[Scope]) -> Written:
    """All cells that are written out in these graphs."""
    layers: list[FoundLayer] = []
    pairs: list[tuple[str, str]] = []
    unsupported: list[Unsupported] = []
    bodies = {scope.path: scope for scope in graphs if scope.parent is not None}
    for scope in graphs:
        if scope.path.endswith(".body/"):
            continue
        found = _unrolled(scope)
        layers += found.layers
        pairs += found.pairs
        unsupported += found.unsupported
        for number, node in enumerate(scope.graph.node):
            name = f"{scope.path}{node_name(node, number)}"
            body = bodies.get(f"{name}.body/")
            if node.op_type in ("Loop", "Scan") and body is not None:
                try:
                    layer = _repeated(scope, node, body, shorten(name, 300))
                    layers += [layer] if layer is not None else []
                except Refused as error:
                    reason = f"a recurrence written out in elementary operators: {error}; {ADVICE}"
                    unsupported.append(Unsupported(f"{shorten(name, 300)} ({node.op_type})", reason))
    return Written(tuple(layers), tuple(pairs), tuple(unsupported))


def _unrolled(scope: Scope) -> Written:
    """The cells of which a graph has every step."""
    forms = Forms(scope)
    chains = chained([sums_of(forms, step) for step in steps_in(forms)])
    made: dict[str, tuple[Chain, FoundLayer]] = {}
    unsupported = []
    for chain in chains:
        title = _title(scope, chain.first, len(made))
        try:
            layer = _layer(forms, chain, title)
            made[title] = (chain, layer)
        except Refused as error:
            if chain.first.kind is not CellKind.RNN:
                reason = f"{len(chain.steps)} steps of a cell in elementary operators: {error}; {ADVICE}"
                unsupported.append(Unsupported(title, reason))
    layers, pairs = input_order(forms, made)
    return Written(tuple(layers), pairs, tuple(unsupported))


def _title(scope: Scope, step: Step, number: int) -> str:
    folder, slash, _ = step.node.name.rpartition("/")
    own = folder if slash and folder else node_name(step.node, number)
    return shorten(f"{scope.path}{own}", 290) + (f" ({number + 1})" if number else "")


def _layer(forms: Forms, chain: Chain, name: str) -> FoundLayer:
    """The layer of a cell's steps; Refused if they are not those of one cell."""
    weights, inputs, state = _compared(forms, chain)
    order, words = _order(inputs)
    h, c, any_batch, notes = _states(forms, chain.first, state, weights.hidden)
    notes += (f"written out in {len(chain.steps)} steps of elementary operators, read as one layer",)
    first = inputs[0]
    return FoundLayer(
        name,
        _config(chain.first, weights, reverse=order < 0),
        weights.weight_ih.shape[1],
        weights.tensors(),
        batch_first=first.axis == 1,
        turns_input=_turned(forms, first),
        h_0=h,
        c_0=c,
        any_batch=any_batch,
        input_from=words,
        notes=notes,
    )


def _turned(forms: Forms, x: Atom) -> bool:
    """Whether the steps are those of a graph's input with its first two axes exchanged."""
    node = forms.producer(x.value)
    if node is None or node.op_type != "Transpose" or x.index is None:
        return False
    return permutation(node, 3) == [1, 0, 2] and forms.plain(node.input[0]) in forms.scope.inputs


def _config(step: Step, weights: Weights, reverse: bool) -> LayerConfig:
    return layer_config(
        kind=step.kind,
        hidden_size=weights.hidden,
        bias=weights.bias_ih is not None or weights.bias_hh is not None,
        reverse=reverse,
        nonlinearity=step.function if step.kind is CellKind.RNN else "tanh",
        linear_before_reset=not step.reset_product,
    )


def _compared(forms: Forms, chain: Chain) -> tuple[Weights, list[Atom], Atom | None]:
    """The weights that all steps share, the input of each, and the state before the first."""
    if len(chain.steps) < 2:
        return _single(forms, chain.steps[0])
    found = []
    inputs = []
    for sums, before in zip(chain.steps[1:], chain.steps, strict=False):
        h = Atom(before.step.h)
        rest = sums.atoms - {h}
        if len(rest) != 1 or h not in sums.atoms:
            raise Refused("a step's sums are not over one x and one h")
        (x,) = rest
        found.append(weights_of(sums, x, h))
        inputs.append(x)
    weights = found[0]
    if not all(weights.same(other) for other in found[1:]):
        raise Refused("its steps have different weights")
    x, state = _first(chain.steps[0], weights)
    return weights, [x, *inputs], state


def _first(sums: Sums, weights: Weights) -> tuple[Atom, Atom | None]:
    """The x and the h of the first step, which an initial state of 0 may have left out."""
    for x in sorted(sums.atoms, key=str):
        rest = sums.atoms - {x}
        try:
            if len(rest) == 1:
                (h,) = rest
                if weights.same(weights_of(sums, x, h)):
                    return x, h
            elif not rest and weights.same_input(sums.matrix(x, hidden=False), sums.bias(hidden=False)):
                return x, None
        except Refused:
            continue
    raise Refused("its first step has other weights than the next")


def _single(forms: Forms, sums: Sums) -> tuple[Weights, list[Atom], Atom | None]:
    """A single step: h is what a GRU says, or the only one of its size."""
    step = sums.step
    if step.kind is CellKind.RNN or len(sums.atoms) != 2:
        raise Refused("a single step is not over one x and one h")
    fits = []
    for h in sorted(sums.atoms, key=str):
        (x,) = sums.atoms - {h}
        try:
            if not step.before or h.value == step.before:
                fits.append((weights_of(sums, x, h), x, h))
        except Refused:
            continue
    if len(fits) != 1:
        raise Refused("a single step does not tell x from h")
    weights, x, h = fits[0]
    return weights, [x], h


def _order(inputs: list[Atom]) -> tuple[int, str]:
    """1 for the first step to the last, -1 for the other way, and in words where the inputs come from."""
    if len(inputs) == 1:
        return 1, f"the value {shown(inputs[0].value)}"
    places = [atom.index for atom in inputs]
    if len({(atom.value, atom.axis) for atom in inputs}) == 1 and all(place is not None for place in places):
        numbers = [place for place in places if place is not None]
        steps = {after - before for before, after in pairwise(numbers)}
        if steps == {1} and numbers[0] == 0:
            return 1, f"the value {shown(inputs[0].value)}"
        if steps == {-1} and (numbers[0] == -1 or numbers[-1] == 0):
            return -1, f"the value {shown(inputs[0].value)}"
        raise Refused("its steps do not take the time steps of its input in order")
    if len(set(inputs)) < len(inputs):
        raise Refused("two of its steps have the same input")
    return 1, "values that the graph computes for each step"


def _states(
    forms: Forms, first: Step, state: Atom | None, hidden: int
) -> tuple[Float32Array | None, Float32Array | None, bool, tuple[str, ...]]:
    """h_0 and c_0 (1, B, H), whether they are one sequence's, and a note on each known only at run time."""
    wanted = {"h": first.before or ("" if state is None else state.value), "c": first.c_before}
    found: dict[str, Float32Array] = {}
    notes = []
    for name, value in wanted.items():
        if not value or is_zero(forms.scope, value):
            continue
        try:
            array = of_one_sequence(forms.scope, value)
            if array.dtype.kind != "f" or array.ndim < 1 or array.shape[-1] != hidden:
                raise NotConstant("of another size")
            found[name] = float32(f"initial {name}", array.reshape(1, -1, hidden))
        except NotConstant as error:
            notes.append(f"the initial {name} is {error}: the workload starts at 0")
    batch = max((array.shape[1] for array in found.values()), default=1)
    if any(array.shape[1] not in (1, batch) for array in found.values()):
        raise Refused("its initial states have different shapes")
    spread = {name: np.repeat(array, batch // array.shape[1], axis=1) for name, array in found.items()}
    return spread.get("h"), spread.get("c"), bool(found) and batch == 1, tuple(notes)


def _repeated(scope: Scope, node: Proto, body: Scope, name: str) -> FoundLayer | None:
    """The layer of the cell in the body of a Loop or a Scan; None if there is nothing like one."""
    forms = Forms(body)
    skipped, kept = (2, 1) if node.op_type == "Loop" else (0, 0)
    count = len(node.input) - skipped
    if node.op_type == "Scan":
        count -= int(attributes(node).get("num_scan_inputs", 0))
    names = [value.name for value in body.graph.input][skipped : skipped + count]
    results = [forms.plain(value.name) for value in body.graph.output][kept : kept + count]
    outer = dict(zip(names, list(node.input)[skipped:], strict=False))
    states = dict(zip(results, names, strict=False))
    steps = [step for step in steps_in(forms) if step.h in states]
    if not steps:
        inside = {inner.op_type for inner in body.graph.node}
        if inside & {"Sigmoid", "Tanh"} and inside & {"MatMul", "Gemm"}:
            raise Refused("no LSTM, GRU or RNN is recognized in it")
        return None
    if len(steps) > 1:
        raise Refused("more than one cell is in it")
    step = steps[0]
    sums = sums_of(forms, step)
    h = Atom(states[step.h])
    rest = sums.atoms - {h}
    if len(rest) != 1 or (step.c and states.get(step.c) != step.c_before):
        raise Refused("its sums are not over one x and the h of the step before")
    (x,) = rest
    weights = weights_of(sums, x, h)
    reverse, axis = _direction(node, body, forms, x)
    values = {"h": outer.get(h.value, ""), "c": outer.get(step.c_before, "")}
    around = replace(step, before=values["h"], c_before=values["c"])
    first, cell, any_batch, notes = _states(Forms(scope), around, None, weights.hidden)
    return FoundLayer(
        name,
        _config(step, weights, reverse),
        weights.weight_ih.shape[1],
        weights.tensors(),
        batch_first=axis == 1,
        h_0=first,
        c_0=cell,
        any_batch=any_batch,
        input_from=f"what {node.op_type} goes through",
        notes=(*notes, f"the body of {node.op_type}, read as one layer"),
    )


def _direction(node: Proto, body: Scope, forms: Forms, x: Atom) -> tuple[bool, int]:
    """Whether the steps are taken from the last one on, and the axis of time; Refused if nothing says it."""
    if node.op_type == "Scan":
        attrs = attributes(node)
        scanned = [value.name for value in body.graph.input][-int(attrs.get("num_scan_inputs", 0)) :]
        scans = int(attrs.get("num_scan_inputs", 0)) > 0
        if not scans or x.value not in scanned or x.index is not None:
            raise Refused("its x is no step of an input that it scans")
        place = scanned.index(x.value)
        ways, axes = attrs.get("scan_input_directions", []), attrs.get("scan_input_axes", [])
        if any(given and len(given) <= place for given in (ways, axes)):
            raise Refused("its scan_input_directions or scan_input_axes are too few")
        return bool(ways and ways[place]), int(axes[place]) if axes else 0
    producer = forms.producer(x.value)
    counter = next((value.name for value in body.graph.input), "")
    gathers = producer is not None and producer.op_type == "Gather" and len(producer.input) == 2
    if producer is None or not gathers or forms.plain(producer.input[1]) != counter:
        raise Refused("its x is not the step of a sequence that the loop's counter names")
    return False, int(attributes(producer).get("axis", 0))
