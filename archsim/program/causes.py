"""Says where the wait for a value is booked: by the kind of data that its buffer holds."""

from __future__ import annotations

from archsim.program.ir import Buffer, DataKind, Wait

_WEIGHTS = frozenset(
    {
        DataKind.W_IH,
        DataKind.W_HH,
        DataKind.W_HR,
        DataKind.WEIGHT_TILE,
        DataKind.BIAS,
        DataKind.PEEPHOLE,
        DataKind.LAYER_NORM,
    }
)


def read_cause(buffer: Buffer) -> Wait:
    """The cause of a wait until a value has been written."""
    if buffer.kind in (DataKind.H, DataKind.C):
        return Wait.RECURRENCE
    if buffer.kind is DataKind.X:
        return Wait.INPUT
    return Wait.WEIGHTS if buffer.kind in _WEIGHTS else Wait.OPERAND


def write_cause(buffer: Buffer) -> Wait:
    """The cause of a wait until an old value may be overwritten."""
    return Wait.ACCUMULATOR if buffer.kind is DataKind.PARTIAL_SUM else Wait.BUFFER
