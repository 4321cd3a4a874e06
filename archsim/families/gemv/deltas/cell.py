"""Makes what a cell of a delta network has beside an ordinary one: its memories, their encoding, tiles of changes.

The sums of all groups stay in the accumulators from step to step: each tile adds what the changes bring. Before the
first step they are the biases, which tiles of W_ih and a vector of zeros leave there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from archsim.errors import ScheduleError
from archsim.families.cells.context import CellContext, whole
from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.deltas.encoder import ChunkEncoder
from archsim.families.gemv.deltas.ops import BiasTile, DeltaTile, EncodeDeltas
from archsim.formats import Fixed
from archsim.program.ir import DELTA, Buffer, DataKind, Op, Region
from archsim.workload.activity import LayerActivity
from archsim.workload.network import CellKind, CellSpec, DeltaThresholds, NetworkSpec

MEMORY = "delta_buffer"
"""The memory of what was passed on last, and of the deltas."""


@dataclass(frozen=True, slots=True)
class LayerDeltas:
    """What is known of a cell of a delta network: its number, thresholds, and the columns of all steps if known."""

    number: int
    thresholds: DeltaThresholds
    activity: LayerActivity | None


def layer_deltas(spec: NetworkSpec) -> tuple[LayerDeltas | None, ...]:
    """For each cell of a network what is known of its deltas; None of cells of ordinary networks."""
    if spec.delta is None and spec.activity is None:
        return (None,) * len(spec.cells)
    activities = spec.activity or (None,) * len(spec.cells)
    thresholds = spec.delta or DeltaThresholds()
    return tuple(LayerDeltas(number, thresholds, activity) for number, activity in enumerate(activities))


@dataclass(frozen=True, slots=True)
class _Part:
    """The memories of x or of h: what was passed on last, and the deltas."""

    name: str
    last: Buffer
    deltas: Buffer
    threshold: float
    first: int


class CellDeltas:
    """The memories of one cell, and the ops that use them."""

    def __init__(
        self, spec: CellSpec, context: CellContext, x: Buffer, h: Buffer, layer: LayerDeltas, config: GemvConfig
    ) -> None:
        self._reverse, self._context, self._layer = spec.reverse, context, layer
        self._inputs, self._array = spec.input_size, config.mac_array
        thresholds, self._recurrent = layer.thresholds, spec.kind.recurrent
        self._x = _part("x", context, x, thresholds.x, 1)
        self._h = _part("h", context, h, thresholds.h, 1 + spec.input_size)

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        """What lies in the delta buffer; nothing of h, of a layer that takes none."""
        parts = (self._x, self._h) if self._recurrent else (self._x,)
        return (*(part.last for part in parts), *(part.deltas for part in parts))

    def encode_x(self, x: Region) -> Op:
        """The encoding of x_t."""
        return self._encode(self._x, x)

    def encode_h(self, h: Region) -> list[Op]:
        """The encoding of h_{t-1}, of a layer that takes it."""
        return [self._encode(self._h, h)] if self._recurrent else []

    def bias_tile(self, tile: MacTile, stream: int) -> BiasTile:
        """The tile of W_ih x_t + bias with zeros in place of x_t: what was passed on before a stream's first step."""
        label = tile.label.replace("mac_x", "mac_bias") + (f" of stream {stream}" if stream else "")
        sums = replace(tile.sums, offset=tile.sums.offset + stream * tile.sums.stride)
        known = {field.name: getattr(tile, field.name) for field in fields(MacTile)}
        known |= {"label": label, "vectors": (whole(self._x.last, stream),), "sums": sums}
        return BiasTile(**known)

    def tile(self, tile: MacTile) -> DeltaTile:
        """A tile of W_ih x or W_hh h with the changes in place of the vector; it adds to the sums that are there."""
        matrix = tile.weights[0].buffer.kind
        part = self._x if matrix is DataKind.W_IH else self._h
        known = {field.name: getattr(tile, field.name) for field in fields(MacTile)}
        known |= {"vectors": (whole(part.deltas),), "start": False, "bias": None}
        known["sums"] = replace(tile.sums, stop=tile.sums.start + tile.rows)
        per_chunk = self._array.inputs_of(matrix)
        return DeltaTile(**known, activity=self._layer.activity, first=part.first, per_chunk=per_chunk)

    def _encode(self, part: _Part, value: Region) -> Op:
        valid = self._context.valid
        return EncodeDeltas(
            unit=ChunkEncoder.name,
            label=f"{self._context.prefix}encode {part.name}",
            value=value,
            last=whole(part.last, 0, 1),
            deltas=whole(part.deltas),
            threshold=part.threshold,
            cell=self._layer.number,
            inputs=self._inputs,
            first=part.first,
            valid=None if valid is None else self._context.at_time(valid, self._reverse, 0),
        )


def _part(name: str, context: CellContext, value: Buffer, threshold: float, first: int) -> _Part:
    number_format = value.number_format
    assert isinstance(number_format, Fixed)  # as refuse_deltas has seen
    last = replace(
        value,
        name=f"{context.prefix}last_{name}",
        memory=MEMORY,
        kind=DataKind.DELTA,
        slots=context.streams,
        is_cleared=True,
        encoding=value.name,
        bank="",
    )
    wider = replace(number_format, integer_bits=number_format.integer_bits + 1)
    deltas = replace(
        last,
        name=f"{context.prefix}deltas_{name}",
        slots=1,
        number_format=wider,
        format_kind=DELTA,
        is_cleared=False,
        encoding="",
    )
    return _Part(name, last, deltas, threshold, first)


def refuse_deltas(spec: NetworkSpec, config: GemvConfig) -> None:
    """Raise ScheduleError for what a machine with one MAC array cannot do of a delta network."""
    for reason in _refusals(spec, config):
        raise ScheduleError(f"delta networks on a machine of the family gemv: {reason}")


def _refusals(spec: NetworkSpec, config: GemvConfig) -> Iterator[str]:
    formats = config.formats
    if config.delta_encoder is None:
        yield "it has no section delta_encoder, and so skips nothing"
    wrong = [kind for kind in ("input", "hidden") if not isinstance(formats.format(kind), Fixed)]
    if wrong:
        found = ", ".join(f"formats.{kind} is {formats.format(kind)}" for kind in wrong)
        yield f"x and h must have q formats, so that what has changed is exact; {found}"
    if not formats.exact:
        yield "all formats must be integer or q formats: rounding of floating-point sums would add up over time"
    for number, layer in enumerate(spec.layers):
        for cell in layer:
            if cell.peepholes or cell.layer_norm:
                what = "peepholes" if cell.peepholes else "layer_norm"
                yield f"{what} of layer {number} would change the sums where they lie, and those stay from step to step"
            if cell.kind is CellKind.GRU and not cell.linear_before_reset:
                yield f"a GRU resets after the product; layer {number} does before it"
