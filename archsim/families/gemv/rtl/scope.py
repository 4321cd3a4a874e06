"""Refuses, by name, what there is no RTL of."""

from __future__ import annotations

from collections.abc import Iterator

from archsim.families.cells.activation import Activate
from archsim.families.cells.gru_ops import CandidateSum, GruUpdate, ResetHidden
from archsim.families.cells.lstm_ops import CellUpdate, HiddenUpdate
from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.rtl.weights import PARAMETERS
from archsim.families.rtl import RtlError, RtlSource
from archsim.formats import KINDS, IntegerFormat
from archsim.hardware.dram.simple import SimpleDramConfig
from archsim.hardware.dram.transfers import Transfer
from archsim.hardware.functions.approximation_range import CURVED
from archsim.program.ir import Op, PhaseKind
from archsim.workload.network import CellKind

METHODS = ("table", "piecewise_linear")
"""The activation methods that there is RTL of, in the order of the parameter METHOD."""

_OPS = (MacTile, Activate, CellUpdate, HiddenUpdate, CandidateSum, ResetHidden, GruUpdate, Transfer)
_MOST_SUM_BITS = 60


def check_scope(source: RtlSource) -> None:
    """Raise RtlError, in one line, for the first thing that there is no RTL of."""
    for reason in _outside(source):
        raise RtlError(f"no RTL of {reason}")


def _outside(source: RtlSource) -> Iterator[str]:
    config: GemvConfig = source.config
    kinds = {cell.kind for cell in source.spec.cells}
    if CellKind.GRU in kinds and len(kinds) > 1:
        yield "GRU layers beside others"
    if CellKind.LINEAR in kinds:
        yield "linear layers"
    yield from _machine(config)
    for phase in source.program.phases:
        if phase.kind is PhaseKind.BODY and phase.unroll != 1:
            yield "hoisted schedules"
        for op in phase.ops:
            yield from _op(op)


def _machine(config: GemvConfig) -> Iterator[str]:
    for kind in KINDS:
        found = config.formats.format(kind)
        if not isinstance(found, IntegerFormat):
            yield f"formats.{kind} {found}: integer (intN) and q formats alone"
    if config.activation.method.name not in METHODS:
        yield f"activation.method {config.activation.method}: {' and '.join(METHODS)} alone"
    if not isinstance(config.dram, SimpleDramConfig):
        yield f"dram.kind {config.dram.kind}: simple alone"
    for memory in config.single_ported:
        yield f"{memory}.ports 1RW: 1R1W alone"
    if config.mac_array.x_columns is not None:
        yield "mac_array.x_columns"
    if config.mac_array.sparsity is not None:
        yield "mac_array.sparsity"
    if config.delta_encoder is not None:
        yield "delta_encoder"
    if config.activation.adds_bias:
        yield "activation.adds_bias"
    if config.activation.units > 1 or config.elementwise.units > 1:
        yield "several activation or element-wise units"
    for definition, _ in config.further_units:
        yield f"the unit {definition.name}"
    if not config.sequencer.issue_cycles:
        yield "sequencer.issue_cycles 0, which is an idealization: 1 or more"
    vector = max(config.formats.format("input").bits, config.formats.format("hidden").bits) + 1
    bits = config.formats.format("weight").bits + vector + (config.mac_array.columns - 1).bit_length()
    if bits > _MOST_SUM_BITS:
        yield f"sums of a chunk of {bits} bits: up to {_MOST_SUM_BITS}"


def _op(op: Op) -> Iterator[str]:
    if type(op) not in _OPS:
        yield f"'{op.label}' ({type(op).__name__})"
    if isinstance(op, MacTile):
        if op.onto is not None:
            yield "hoisted schedules"
        if any(op.origins) and any(region.stride for region in op.weights):
            yield "streamed weights"
        if op.vectors[0].buffer.memory == "state_buffer" and len(op.vectors) > 1:
            yield "wavefront schedules"
        if op.vectors[0].buffer.memory == "state_buffer" and op.weights[0].buffer.kind == "W_ih":
            yield "wavefront schedules"
    if isinstance(op, Transfer) and op.target.buffer.kind in PARAMETERS and op.target.stride:
        yield "streamed weights"
    if getattr(op, "hold", None) is not None:
        yield "sequences of different lengths"
    if isinstance(op, Activate) and op.function.name not in CURVED | {"identity"}:
        yield f"the function {op.function}: curved functions alone"
