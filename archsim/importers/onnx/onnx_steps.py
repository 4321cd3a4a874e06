"""Operators of ONNX after which the outputs of recurrent layers are still the same sequences, and what they become."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from archsim.importers.onnx.onnx_flow import Flow
from archsim.importers.onnx.onnx_graph import Proto, Scope, attributes
from archsim.importers.onnx.onnx_shapes import (
    Shapes,
    Size,
    Sizes,
    axes_of,
    cuts_of,
    declared,
    filled,
    forced,
    permutation,
    product,
)
from archsim.importers.onnx.onnx_values import constant

Step = Callable[[Scope, Proto, int, list[Flow], Shapes], Flow | None]
"""(scope, node, number of the output, flows, shapes) -> what the output is, or None."""
MAX_AXES = 8


def _same(_scope: Scope, _node: Proto, number: int, flows: list[Flow], _shapes: Shapes) -> Flow | None:
    return flows[0] if number == 0 else None


def _cast(_scope: Scope, node: Proto, _number: int, flows: list[Flow], _shapes: Shapes) -> Flow | None:
    return flows[0] if attributes(node).get("to") in (1, 11) else None


def _dropout(scope: Scope, node: Proto, number: int, flows: list[Flow], _shapes: Shapes) -> Flow | None:
    training = len(node.input) > 2 and node.input[2] and bool(np.any(constant(scope, node.input[2])))
    return None if training or number else flows[0]


def _transpose(_scope: Scope, node: Proto, _number: int, flows: list[Flow], _shapes: Shapes) -> Flow | None:
    flow = flows[0]
    order = permutation(node, len(flow.axes))
    return None if order is None else flow.with_axes(tuple(flow.axes[axis] for axis in order))


def _squeeze(scope: Scope, node: Proto, _number: int, flows: list[Flow], _shapes: Shapes) -> Flow | None:
    axes = axes_of(scope, node)
    return None if axes is None else flows[0].dropped({range(len(flows[0].axes))[axis] for axis in axes})


def _unsqueeze(scope: Scope, node: Proto, _number: int, flows: list[Flow], _shapes: Shapes) -> Flow | None:
    axes = axes_of(scope, node) or []
    count = len(flows[0].axes) + len(axes)
    if count > MAX_AXES:
        return None
    added = {range(count)[axis] for axis in axes}
    left = iter(flows[0].axes)
    return flows[0].with_axes(tuple("1" if place in added else next(left) for place in range(count)))


def _reshape(scope: Scope, node: Proto, _number: int, flows: list[Flow], shapes: Shapes) -> Flow | None:
    flow = flows[0]
    sizes = shapes.vector(scope, node.input[1])
    if sizes is None or len(sizes) > MAX_AXES:
        return None
    old = flow.sizes
    if not attributes(node).get("allowzero", 0):
        sizes = tuple(old[place] if size == Size(0) else size for place, size in enumerate(sizes))
    new = filled(sizes, old)
    made = None if new is None else flow.reshaped(new)
    return _bound(scope, node, flow, sizes) if made is None else made


def _bound(scope: Scope, node: Proto, flow: Flow, sizes: Sizes) -> Flow | None:
    """The flow after a Reshape that is possible for one size of a named axis alone, and is then no other order.

    torch's exporter may write the size that its example had for an axis that is dynamic. A Reshape keeps how many
    numbers there are: (time, 2, 1, 4) becomes (5, 2, 4) only where time is 5. What a -1 stands for, which would hide
    that, is taken from what the file declares of the output: (time, batch, 1, 4) to (5, -1, 4), declared (5, batch, 4).
    """
    if Size(-1) in sizes:
        told = declared(scope, node.output[0])
        if told is None or len(told) != len(sizes) or sizes.count(Size(-1)) > 1:
            return None
        if any(size != Size(-1) and not said.axes and said != size for size, said in zip(sizes, told, strict=True)):
            return None
        sizes = tuple(said if size == Size(-1) else size for size, said in zip(sizes, told, strict=True))
    axis = forced(product(flow.sizes), product(sizes))
    return None if axis is None else flow.bound(*axis).reshaped(sizes)


def _concat(_scope: Scope, node: Proto, _number: int, flows: list[Flow], _shapes: Shapes) -> Flow | None:
    """The flow of directions beside each other."""
    first = flows[0]
    along = first.axes[attributes(node)["axis"]]
    if any(flow.axes != first.axes or flow.units != first.units for flow in flows) or along not in "DF":
        return None
    if len(flows) > 2:
        return None
    return first.with_parts(tuple(part for flow in flows for part in flow.parts))


def _slice(scope: Scope, node: Proto, _number: int, flows: list[Flow], _shapes: Shapes) -> Flow | None:
    """The flow of some of the directions; a Slice that takes all of an axis changes nothing."""
    flow = flows[0]
    for cut in cuts_of(scope, node):
        axis = flow.axes[cut.axis]
        if cut.step != 1:
            return None
        if cut.start == 0 and cut.end >= (1 << 31) - 1:
            continue
        if axis not in "DF":
            return None
        kept = _kept(flow, axis, range(flow.size(axis).count)[cut.start : cut.end])
        if kept is None:
            return None
        flow = kept
    return flow


def _kept(flow: Flow, axis: str, places: Sequence[int]) -> Flow | None:
    """The flow of the directions to which these places along D or F belong; None if they take one apart."""
    unit = flow.units if axis == "F" else 1
    chosen = list(places[::unit])
    whole = [place + offset for place in chosen for offset in range(unit)]
    if not chosen or whole != list(places) or any(place % unit for place in chosen):
        return None
    return flow.with_parts(tuple(flow.parts[place // unit] for place in chosen))


def _split(scope: Scope, node: Proto, number: int, flows: list[Flow], _shapes: Shapes) -> Flow | None:
    flow, attrs = flows[0], attributes(node)
    axis = flow.axes[attrs.get("axis", 0)]
    if axis not in "DF":
        return None
    size = flow.size(axis).count
    if len(node.input) > 1 and node.input[1]:
        lengths = constant(scope, node.input[1]).ravel().tolist()
    else:
        each = -(-size // attrs.get("num_outputs", len(node.output)))
        lengths = attrs.get("split", [min(each, size - start) for start in range(0, size, each)])
    if sum(lengths) != size or min(lengths) < 0 or len(lengths) != len(node.output):
        return None
    start = sum(lengths[:number])
    return _kept(flow, axis, range(start, start + lengths[number]))


def _gather(scope: Scope, node: Proto, _number: int, flows: list[Flow], _shapes: Shapes) -> Flow | None:
    """The flow of chosen directions; a single number takes the axis away."""
    flow, axis = flows[0], attributes(node).get("axis", 0)
    chosen = constant(scope, node.input[1])
    if flow.axes[axis] != "D" or chosen.dtype.kind != "i" or chosen.ndim > 1 or chosen.size > len(flow.parts):
        return None
    kept = flow.with_parts(tuple(flow.parts[int(place)] for place in chosen.ravel()))
    return kept if chosen.ndim else kept.dropped({range(len(flow.axes))[axis]})


STEPS: dict[str, Step] = {
    "Identity": _same,
    "Cast": _cast,
    "QuantizeLinear": _same,
    "DequantizeLinear": _same,
    "Dropout": _dropout,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Reshape": _reshape,
    "Concat": _concat,
    "Slice": _slice,
    "Split": _split,
    "Gather": _gather,
}
"""Operators after which a sequence is still the same sequence, by name."""
