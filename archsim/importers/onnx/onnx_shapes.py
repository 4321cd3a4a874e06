"""Sizes of an ONNX graph's values: products of whole numbers and named axes, as far as the file or its operators say.

Exporters write a Reshape's new shape as a constant, or compute it from the Shape of a value. Both are needed to know
whether a Reshape keeps time steps and sequences apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from archsim.importers.found import Refused
from archsim.importers.onnx.onnx_graph import MAX_DEPTH, STANDARD_DOMAINS, Proto, Scope, attributes
from archsim.importers.onnx.onnx_values import NotConstant, constant

MAX_AXES = 16


@dataclass(frozen=True, slots=True)
class Size:
    """A size: `count` times the sizes of the named axes, which are known only when the model runs."""

    count: int
    axes: tuple[str, ...] = ()

    def times(self, other: Size) -> Size:
        """The size of two axes put together."""
        return Size(self.count * other.count, tuple(sorted(self.axes + other.axes)))

    def divided(self, other: Size) -> Size | None:
        """What is left of an axis from which `other` is split off; None if that is no whole size."""
        left = list(self.axes)
        for axis in other.axes:
            if axis not in left:
                return None
            left.remove(axis)
        if not other.count or self.count % other.count:
            return None
        return Size(self.count // other.count, tuple(left))

    def bound(self, axis: str, count: int) -> Size:
        """The size where the named axis has `count` places."""
        left = tuple(name for name in self.axes if name != axis)
        return Size(self.count * count ** (len(self.axes) - len(left)), left)


Sizes = tuple[Size, ...]


def product(sizes: Sequence[Size]) -> Size:
    """The size of all axes put together."""
    axes = tuple(sorted(axis for size in sizes for axis in size.axes))
    return Size(prod(size.count for size in sizes), axes)


def filled(new: Sizes, old: Sizes) -> Sizes | None:
    """The new sizes of a Reshape with its -1 replaced by what is left; None if they do not fit."""
    unknown = [place for place, size in enumerate(new) if size == Size(-1)]
    if not unknown:
        return new if product(new) == product(old) else None
    rest = product(old).divided(product([size for size in new if size != Size(-1)]))
    if len(unknown) > 1 or rest is None:
        return None
    return tuple(rest if place == unknown[0] else size for place, size in enumerate(new))


def forced(old: Size, new: Size) -> tuple[str, int] | None:
    """The one named axis of `old`, and its only size, with which both are equally many; None if they do not say it.

    Where axes that both have are of size 0 any size would do, but then there is nothing to count.
    """
    left, right = Counter(old.axes), Counter(new.axes)
    names = list((left - right).elements())
    if len(names) != 1 or right - left or old.count < 1 or new.count < 1 or new.count % old.count:
        return None
    return names[0], new.count // old.count


class Shapes:
    """Finds the sizes of values; `known` gives those that are known otherwise (of what recurrent operators make)."""

    def __init__(self, known: Callable[[Scope, str, int], Sizes | None]) -> None:
        self._known = known
        self._found: dict[tuple[int, str], Sizes | None] = {}

    def shape(self, scope: Scope, value: str, depth: int = 0) -> Sizes | None:
        """The sizes of the value's axes; None if they cannot be told."""
        home = scope.home(value)
        if home is None or depth > MAX_DEPTH:
            return None
        key = (id(home), value)
        if key not in self._found:
            self._found[key] = None  # a loop, which no valid graph has, ends here
            self._found[key] = self._known(home, value, depth) or self._shape(home, value, depth)
        return self._found[key]

    def _shape(self, scope: Scope, value: str, depth: int) -> Sizes | None:
        if value in scope.initializers:
            return tuple(Size(size) for size in scope.initializers[value].dims)
        if value in scope.producers:
            node, number = scope.producers[value]
            if node.domain in STANDARD_DOMAINS and number == 0 and node.input:
                below = self.shape(scope, node.input[0], depth + 1) if node.op_type in _MOVED else None
                moved = None if below is None else _moved(scope, node, below)
                if moved is not None:
                    return moved
        return declared(scope, value)

    def vector(self, scope: Scope, value: str, depth: int = 0) -> Sizes | None:
        """The elements of a vector of whole numbers, such as a Reshape's new shape; None if they cannot be told."""
        home = scope.home(value)
        if home is None or depth > MAX_DEPTH:
            return None
        try:
            numbers = constant(home, value)
        except NotConstant:
            return self._vector(home, value, depth)
        except Refused:
            return None
        plain = numbers.dtype.kind == "i" and numbers.size <= MAX_AXES
        return tuple(Size(int(number)) for number in numbers.ravel()) if plain else None

    def _vector(self, scope: Scope, value: str, depth: int) -> Sizes | None:
        node, number = scope.producers.get(value, (None, 0))
        if node is None or number or node.domain not in STANDARD_DOMAINS or not node.input:
            return None
        if node.op_type == "Shape":
            attrs = attributes(node)
            sizes = self.shape(scope, node.input[0], depth + 1)
            return None if sizes is None else sizes[attrs.get("start", 0) : attrs.get("end")]
        if node.op_type not in _OF_VECTORS:
            return None
        counted = node.input if node.op_type in ("Concat", "Mul") else node.input[:1]
        parts = [self.vector(scope, name, depth + 1) for name in counted]
        given = [part for part in parts if part is not None]
        if len(given) < len(parts):
            return None
        try:
            made = _OF_VECTORS[node.op_type](scope, node, given)
        except (Refused, ValueError, IndexError, KeyError, TypeError):
            return None
        return made if made is not None and len(made) <= MAX_AXES else None


def declared(scope: Scope, value: str) -> Sizes | None:
    """The sizes that the file gives a value, those without number or name under a name of their own."""
    info = scope.declared.get(value)
    if info is None or not info.type.tensor_type.HasField("shape"):
        return None
    dims = list(info.type.tensor_type.shape.dim)[: MAX_AXES + 1]
    if any(not isinstance(dim.dim_param, str) or dim.dim_value < 0 for dim in dims):
        return None
    return tuple(
        Size(dim.dim_value) if dim.HasField("dim_value") else Size(1, (dim.dim_param or f"{value}[{place}]",))
        for place, dim in enumerate(dims)
    )


def axes_of(scope: Scope, node: Proto) -> list[int] | None:
    """The axes of a Squeeze or an Unsqueeze: an attribute before opset 13, then an input; None if it has none."""
    given = constant(scope, node.input[1]).ravel().tolist() if len(node.input) > 1 else attributes(node).get("axes")
    return None if given is None else [int(axis) for axis in given]


@dataclass(frozen=True, slots=True)
class Cut:
    """The part of one axis that a Slice takes."""

    axis: int
    start: int
    end: int
    step: int


def cuts_of(scope: Scope, node: Proto) -> list[Cut]:
    """The parts that a Slice takes: attributes before opset 10, then inputs; NotConstant if they are computed."""
    attrs = attributes(node)
    given: list[list[int] | None] = [
        [int(number) for number in constant(scope, name).ravel()] if name else None for name in node.input[1:5]
    ]
    starts, ends, axes, steps = given + [None] * (4 - len(given))
    first: list[int] = attrs["starts"] if starts is None else starts
    last: list[int] = attrs["ends"] if ends is None else ends
    along = axes or attrs.get("axes") or range(len(first))
    return [Cut(*cut) for cut in zip(along, first, last, steps or [1] * len(first), strict=True)]


def permutation(node: Proto, count: int) -> list[int] | None:
    """The order of a Transpose's axes; None if it is none of so many."""
    order = list(attributes(node).get("perm", range(count)[::-1]))
    return order if sorted(order) == list(range(count)) else None


_MOVED = ("Identity", "Cast", "Dropout", "Transpose", "Squeeze", "Unsqueeze")


def _moved(scope: Scope, node: Proto, sizes: Sizes) -> Sizes | None:
    """The sizes after an operator that only moves axes."""
    try:
        if node.op_type == "Transpose":
            order = permutation(node, len(sizes))
            return None if order is None else tuple(sizes[axis] for axis in order)
        if node.op_type not in ("Squeeze", "Unsqueeze"):
            return sizes
        axes = axes_of(scope, node)
        if axes is None:
            return None
        if node.op_type == "Squeeze":
            dropped = {range(len(sizes))[axis] for axis in axes}
            return tuple(size for place, size in enumerate(sizes) if place not in dropped)
        count = len(sizes) + len(axes)
        added = {range(count)[axis] for axis in axes}
        left = iter(sizes)
        return tuple(Size(1) if place in added else next(left) for place in range(count))
    except (Refused, ValueError, IndexError, StopIteration, RuntimeError):
        return None


def _slice(scope: Scope, node: Proto, parts: list[Sizes]) -> Sizes | None:
    cuts = cuts_of(scope, node)
    if len(cuts) != 1 or cuts[0].axis not in (0, -1) or cuts[0].step != 1:
        return None
    return parts[0][cuts[0].start : cuts[0].end]


def _gather(scope: Scope, node: Proto, parts: list[Sizes]) -> Sizes | None:
    return tuple(parts[0][place] for place in constant(scope, node.input[1]).ravel().tolist())


def _mul(_scope: Scope, _node: Proto, parts: list[Sizes]) -> Sizes | None:
    if len(parts) != 2:
        return None
    first, second = parts
    if len(first) != len(second):
        return None
    return tuple(one.times(other) for one, other in zip(first, second, strict=True))


def _joined(_scope: Scope, _node: Proto, parts: list[Sizes]) -> Sizes | None:
    return tuple(size for part in parts for size in part)


def _same(_scope: Scope, _node: Proto, parts: list[Sizes]) -> Sizes | None:
    return parts[0]


_OF_VECTORS: dict[str, Callable[[Scope, Proto, list[Sizes]], Sizes | None]] = {
    "Slice": _slice,
    "Gather": _gather,
    "Mul": _mul,
    "Concat": _joined,
    "Identity": _same,
    "Cast": _same,
    "Unsqueeze": _same,
    "Squeeze": _same,
    "Reshape": _same,
}
"""Operators with which exporters compute a shape; a number and a vector of one are not told apart."""
