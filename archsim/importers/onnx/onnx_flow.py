"""A flow: the outputs of recurrent operators as one value of an ONNX graph, with its axes by name."""

from __future__ import annotations

from dataclasses import dataclass, replace

from archsim.importers.onnx.onnx_shapes import Size, Sizes


@dataclass(frozen=True, slots=True)
class Flow:
    """Outputs of recurrent layers: the axes, (layer, direction) along D or F, units of each, and the sizes of T and B.

    The axes are T, B, D (directions), H (units), F (the units of all directions side by side) and 1 (of size 1).
    """

    axes: tuple[str, ...]
    parts: tuple[tuple[str, int], ...]
    units: int
    time: Size
    batch: Size

    @property
    def sizes(self) -> Sizes:
        """The sizes of all axes."""
        return tuple(self.size(axis) for axis in self.axes)

    def size(self, axis: str) -> Size:
        """The size of an axis of that name."""
        count = len(self.parts)
        known = {"D": Size(count), "H": Size(self.units), "F": Size(count * self.units), "1": Size(1)}
        return {"T": self.time, "B": self.batch}.get(axis) or known[axis]

    def with_axes(self, axes: tuple[str, ...]) -> Flow:
        """The flow with other axes of the same numbers; without D, its units are those of all directions."""
        return replace(self, axes=axes if "D" in axes else tuple("F" if axis == "H" else axis for axis in axes))

    def with_parts(self, parts: tuple[tuple[str, int], ...]) -> Flow:
        """The flow with other outputs along D or F."""
        return replace(self, parts=parts)

    def bound(self, axis: str, count: int) -> Flow:
        """The flow where a named axis has `count` places."""
        return replace(self, time=self.time.bound(axis, count), batch=self.batch.bound(axis, count))

    def dropped(self, places: set[int]) -> Flow | None:
        """The flow without axes of size 1: those so named, and D of one direction; None if any is another."""
        single = ("1", "D") if len(self.parts) == 1 else ("1",)
        if any(self.axes[place] not in single for place in places):
            return None
        return self.with_axes(tuple(axis for place, axis in enumerate(self.axes) if place not in places))

    def reshaped(self, sizes: Sizes) -> Flow | None:
        """The flow after a Reshape to these sizes; None if it mixes time steps, sequences or units."""
        axes = self._regrouped(self.axes, sizes)
        return None if axes is None else self.with_axes(axes)

    def _regrouped(self, old: tuple[str, ...], new: Sizes) -> tuple[str, ...] | None:
        """The names of the new axes, each one old axis, D and H put together, F taken apart, or of size 1."""
        if not old and not new:
            return ()
        ways: list[tuple[tuple[str, ...], int, int]] = []
        if old and new and self.size(old[0]) == new[0]:
            ways.append((old[:1], 1, 1))
        if old[:2] == ("D", "H") and new and new[0] == self.size("F"):
            ways.append((("F",), 2, 1))
        if old[:1] == ("F",) and new[:2] == (self.size("D"), self.size("H")):
            ways.append((("D", "H"), 1, 2))
        if old and (old[0] == "1" or (old[0] == "D" and len(self.parts) == 1)):
            ways.append(((), 1, 0))
        if new and new[0] == Size(1):
            ways.append((("1",), 0, 1))
        for names, taken, given in ways:
            rest = self._regrouped(old[taken:], new[given:])
            if rest is not None:
                return names + rest
        return None
