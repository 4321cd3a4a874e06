"""Builds the program of a delta network: a body a time step, three ops a layer, one layer after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from archsim.errors import ArchError, Fault, ScheduleError
from archsim.families.cells.streams import cell_prefixes, streams
from archsim.families.delta.config import DeltaConfig
from archsim.families.delta.ops import MultiplyColumns, Scan, UpdateHidden
from archsim.families.delta.units import DeltaActivation, DeltaEncoder, PeArray
from archsim.families.schedule import Schedule
from archsim.formats import Fixed
from archsim.program.builder import build_phase
from archsim.program.ir import WIDE, Buffer, DataKind, Op, PhaseKind, Program, Region
from archsim.workload.activity import LayerActivity
from archsim.workload.network import CellKind, CellSpec, DeltaThresholds, NetworkSpec

OUTSIDE, FIFO, SENT, SUMS, STATE = "dram", "index_fifo", "sent", "sums", "state"
"""The memories: outside (weights, x, output); the FIFO; what was sent of x and h; accumulators; h."""

ACCUMULATORS = {CellKind.GRU: 4, CellKind.LSTM: 4, CellKind.RNN: 1}
"""The accumulators of a hidden unit: a GRU keeps the candidate's sums of x and of h apart."""


@dataclass(frozen=True, slots=True)
class DeltaSchedule(Schedule[DeltaConfig]):
    """The order of the published machine: layers of a step after each other, and steps after each other."""

    name: str = "columns"
    summary: str = "a layer after the other, each: scan x and h, multiply the columns that have changed, new h"
    family: str = "delta"
    splits_sums: bool = False
    interleaves_gates: bool = False

    def sends_deltas(self, spec: NetworkSpec) -> bool:
        """A column is multiplied if its element has changed."""
        return True

    def build(self, spec: NetworkSpec, config: DeltaConfig) -> Program:
        """Build the program; ScheduleError or ArchError if the machine cannot run the network."""
        _refuse(spec, config)
        outside = streams(spec, config.formats)
        thresholds, activities = spec.delta or DeltaThresholds(), spec.activity or (None,) * len(spec.layers)
        layers = [
            _Layer(spec.layers[number][0], config, prefix, activity, thresholds, number)
            for number, (prefix, activity) in enumerate(zip(cell_prefixes(spec), activities, strict=True))
        ]
        ops: list[Op] = []
        last = layers[-1].h
        for number, layer in enumerate(layers):
            x = _at_time(outside[0]) if not number else _whole(layers[number - 1].h)
            output = outside[-1] if number == len(layers) - 1 else None
            ops += layer.ops(x, layers[number - 1].h if number else last, output)
        body = replace(build_phase("body", PhaseKind.BODY, ops, spec.steps), marks_all=True)
        buffers = (outside[0], outside[-1], *(buffer for layer in layers for buffer in layer.buffers))
        return Program(self.name, buffers, (body,))


DELTA_SCHEDULES = (DeltaSchedule(),)
"""All schedules of the family delta."""


class _Layer:
    """The buffers of one layer, and its ops."""

    def __init__(
        self,
        cell: CellSpec,
        config: DeltaConfig,
        prefix: str,
        activity: LayerActivity | None,
        thresholds: DeltaThresholds,
        number: int,
    ) -> None:
        self._thresholds, self._number = thresholds, number
        self._cell, self._rules, self._prefix, self._activity = cell, config.rules(cell), prefix, activity
        inputs, hidden, formats = cell.input_size, cell.hidden_size, config.formats

        def buffer(name: str, memory: str, kind: DataKind, entries: int, format_kind: str, width: int = 1) -> Buffer:
            number_format = formats.format(format_kind)
            return Buffer(prefix + name, memory, kind, entries, width, number_format, format_kind=format_kind)

        def cleared(
            name: str, memory: str, kind: DataKind, entries: int, format_kind: str, encoding: str = ""
        ) -> Buffer:
            return replace(buffer(name, memory, kind, entries, format_kind), is_cleared=True, encoding=encoding)

        def matrix(name: str, kind: DataKind, width: int) -> Buffer:
            made = buffer(f"dram.{name}", OUTSIDE, kind, cell.rows, "weight", width)
            return replace(made, is_input=True, matrix=True)

        number_format = formats.format("hidden")
        assert isinstance(number_format, Fixed)  # as the machine's description is validated
        self._delta_scale = number_format.scale
        self.h = replace(
            buffer("h", STATE, DataKind.H, hidden, "hidden"), is_input=True, is_result=True, tensor=f"{prefix}dram.h_0"
        )
        self._sent_x = cleared("sent_x", SENT, DataKind.X, inputs + 1, "input", f"{prefix}x")
        self._sent_h = cleared("sent_h", SENT, DataKind.H, hidden, "hidden", f"{prefix}h")
        # A delta has a bit more than what it is the difference of; the FIFO keeps it in as many (inferred).
        deltas = buffer("deltas", FIFO, DataKind.STREAM, 1 + inputs + hidden, "hidden")
        self._deltas = replace(deltas, stream=True, format_kind=WIDE)
        self._sums = cleared(
            "accumulators", SUMS, DataKind.PARTIAL_SUM, ACCUMULATORS[cell.kind] * hidden, "accumulator"
        )
        self._weights = [matrix("W_ih", DataKind.W_IH, inputs), matrix("W_hh", DataKind.W_HH, hidden)]
        if cell.bias:
            bias = buffer("dram.bias", OUTSIDE, DataKind.BIAS, ACCUMULATORS[cell.kind] * hidden, "accumulator")
            self._weights.append(replace(bias, is_input=True))
        self._c: Buffer | None = None
        if cell.kind is CellKind.LSTM:
            c = buffer("c", STATE, DataKind.C, hidden, "cell")
            self._c = replace(c, is_input=True, is_result=True, tensor=f"{prefix}dram.c_0")

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        """Every buffer of the layer."""
        states = (self.h,) if self._c is None else (self.h, self._c)
        return (*self._weights, *states, self._sent_x, self._sent_h, self._deltas, self._sums)

    def ops(self, x: Region, before: Buffer, output: Buffer | None) -> Iterator[Op]:
        """The ops of one time step; `before`: the h of the layer whose turn is before this one's."""
        prefix, rules, activity = self._prefix, self._rules, self._activity
        yield Scan(
            unit=DeltaEncoder.name,
            label=f"{prefix}scan",
            rules=rules,
            activity=activity,
            layer=self._number,
            thresholds=self._thresholds,
            bias=self._cell.bias,
            x=x,
            h=_whole(self.h),
            sent_x=_whole(self._sent_x),
            sent_h=_whole(self._sent_h),
            deltas=_whole(self._deltas),
            turn=_whole(before),
        )
        yield MultiplyColumns(
            unit=PeArray.name,
            label=f"{prefix}multiply",
            rules=rules,
            activity=activity,
            deltas=_whole(self._deltas),
            weights=tuple(map(_whole, self._weights)),
            sums=_whole(self._sums),
            delta_scale=self._delta_scale,
            dense_macs=self._cell.macs,
        )
        targets = (_whole(self.h), *(() if output is None else (_at_time(output),)))
        yield UpdateHidden(
            unit=DeltaActivation.name,
            label=f"{prefix}hidden",
            kind=self._cell.kind,
            functions=self._cell.functions,
            sums=_whole(self._sums),
            old=_whole(self.h),
            targets=targets,
            cell=None if self._c is None else _whole(self._c),
        )


def _whole(buffer: Buffer) -> Region:
    return Region(buffer, 0, buffer.entries)


def _at_time(buffer: Buffer) -> Region:
    return Region(buffer, 0, buffer.entries, 0, 1)


def _refuse(spec: NetworkSpec, config: DeltaConfig) -> None:
    """Raise ArchError or ScheduleError for what the machine cannot do."""
    if spec.batch != 1 or spec.lengths is not None:
        given = f"{spec.batch} sequences" if spec.lengths is None else "sequences of different lengths"
        raise ScheduleError(f"a machine of the family delta takes one sequence at a time; this workload has {given}")
    for number, layer in enumerate(spec.layers):
        for cell in layer:
            if not cell.kind.recurrent:
                raise ScheduleError(f"layer {number}: a machine of the family delta takes no linear layers")
            if len(layer) > 1 or cell.reverse or cell.proj_size or cell.peepholes or cell.clip or cell.input_forget:
                raise ScheduleError(
                    f"layer {number}: a machine of the family delta has layers of one forward direction, without "
                    "projection, peepholes, clip or input_forget"
                )
            if cell.layer_norm:
                raise ScheduleError(f"layer {number}: a machine of the family delta has no layer normalization")
            if not cell.linear_before_reset:
                raise ScheduleError(f"layer {number}: a machine of the family delta resets after the product")
            _multiples(number, cell, config.pe_array.pes)


def _multiples(number: int, cell: CellSpec, pes: int) -> None:
    for name, size in (("input", cell.input_size), ("hidden", cell.hidden_size)):
        if size % pes:
            message = f"{pes} PEs take sizes that are multiples of {pes}; layer {number} has {name} size {size}"
            raise ArchError((Fault("pe_array", "pes", message),))
