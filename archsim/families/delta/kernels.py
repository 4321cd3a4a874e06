"""Computes what the ops of a delta machine compute, on integer codes of q formats.

The bias is column 0: its delta is 1 in the first step, in which nothing of it was sent before, and 0 ever after.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
import numpy.typing as npt

from archsim.errors import SimulatorBug
from archsim.families.delta.ops import MultiplyColumns, Scan, UpdateHidden
from archsim.formats import Encoding, Fixed, Formats, IntegerFormat
from archsim.formats.number import Array
from archsim.hardware.elementwise_arithmetic import IntegerArithmetic, Operand
from archsim.hardware.functions.methods import Method
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.products import integer_conversion
from archsim.workload.network import CellKind, FunctionSpec

Int = npt.NDArray[np.int64]


def scan_kernel(op: Scan, numerics: Numerics) -> Kernel:
    """The deltas that are sent: d = v - sent where d is not 0 and |d| is at least the threshold, else 0."""
    least_x, least_h = (
        max(1, ceil(threshold / float(numerics.encoding_of(region).scale)))
        for threshold, region in ((op.thresholds.x, op.x), (op.thresholds.h, op.h))
    )
    one = np.full((1, 1), int(op.bias), np.int64)

    def effect(operands: Sequence[Array]) -> tuple[Array, ...]:
        x, h, sent_x, sent_h = (operand.astype(np.int64) for operand in operands)
        x = np.concatenate([one, x])
        deltas_x, deltas_h = x - sent_x, h - sent_h
        least = np.full(deltas_x.shape, least_x)
        least[0] = 1
        deltas_x = np.where(np.abs(deltas_x) >= least, deltas_x, 0)
        deltas_h = np.where(np.abs(deltas_h) >= least_h, deltas_h, 0)
        return np.concatenate([deltas_x, deltas_h]), sent_x + deltas_x, sent_h + deltas_h

    return Kernel(effect)


def multiply_kernel(op: MultiplyColumns, numerics: Numerics) -> Kernel:
    """The sums with the products of all columns that were sent added, each narrowed to the accumulator in its turn."""
    encoding, overflows = numerics.encoding_of(op.sums), numerics.overflows
    integer = encoding.format
    assert isinstance(integer, IntegerFormat)
    scales = [float(numerics.encoding_of(weights).scale) for weights in op.weights[:2]]
    converts = [integer_conversion(scale * op.delta_scale, encoding) for scale in scales]
    # Without a rounding, and as long as no sum can leave the range on the way, order and narrowing make no difference.
    exact = all(scale * op.delta_scale >= encoding.scale for scale in scales)
    places = _rows(op)

    def effect(operands: Sequence[Array]) -> tuple[Array, ...]:
        deltas, *weights, sums = (operand.astype(np.int64) for operand in operands)
        inputs = weights[0].shape[1]
        parts = (deltas[1 : inputs + 1, 0], deltas[inputs + 1 :, 0])
        new = sums[:, 0].copy()
        if deltas[0, 0]:
            new = overflows.add("accumulator", encoding.narrowed(new + weights[2][:, 0]))
        for matrix, part, convert, rows in zip(weights, parts, converts, places, strict=False):
            sent = np.flatnonzero(part)
            if not sent.size:
                continue
            matrix, part = matrix[:, sent], part[sent]
            most = int(np.abs(new).max()) + int(np.abs(convert(np.abs(matrix) @ np.abs(part))).max())
            if exact and most <= integer.highest:
                new[rows] += convert(matrix @ part)
                overflows.add("accumulator", (new[rows], 0), sent.size)
                continue
            for column, delta in zip(matrix.T, part, strict=True):
                new[rows] = overflows.add("accumulator", encoding.narrowed(new[rows] + convert(column * delta)))
        return (new[:, np.newaxis],)

    return Kernel(effect)


def _rows(op: MultiplyColumns) -> tuple[Int, Int]:
    """The rows of the sums that the products of x and of h go to: of a GRU's candidate they are kept apart."""
    rows, sums = op.weights[0].entries, op.sums.entries
    all_rows = np.arange(rows)
    if sums == rows:
        return all_rows, all_rows
    hidden = sums - rows
    return all_rows, np.concatenate([all_rows[: rows - hidden], np.arange(rows, sums)])


def update_kernel(op: UpdateHidden, numerics: Numerics, formats: Formats, method: Method) -> Kernel:
    """The new h (and c) from the sums: the equations of the cell, as every machine computes them."""
    cell = _Cell(op, numerics, formats, method)

    def effect(operands: Sequence[Array]) -> tuple[Array, ...]:
        sums, h, *c = operands
        new_h, *new_c = cell.update(cell.gates(sums), h, *c)
        return (*(new_h.copy() for _ in op.targets), *new_c)

    return Kernel(effect)


class _Cell:
    """The arithmetic of one layer's cell."""

    def __init__(self, op: UpdateHidden, numerics: Numerics, formats: Formats, method: Method) -> None:
        self._op, self._overflows, self._method = op, numerics.overflows, method
        self._sums, self._h = numerics.encoding_of(op.sums), numerics.encoding_of(op.old)
        self._gate, self._activation = (_fixed(formats, kind) for kind in ("gate", "activation"))
        self._c = None if op.cell is None else numerics.encoding_of(op.cell)
        self._to_gate = integer_conversion(self._sums.scale, self._gate)
        self._of_gate, self._of_h = IntegerArithmetic(self._gate), IntegerArithmetic(self._h)

    def gates(self, sums: Array) -> list[Array]:
        """The sums in the format of the gates' arguments, a part for each accumulator of a hidden unit."""
        codes = self._add("gate", self._gate.narrowed(self._to_gate(sums.astype(np.int64))))
        return np.split(codes, self._op.sums.entries // self._op.old.entries)

    def update(self, parts: list[Array], h: Array, *c: Array) -> tuple[Array, ...]:
        """The new h, and c of an LSTM."""
        match self._op.kind:
            case CellKind.GRU:
                return self._gru(parts, h)
            case CellKind.LSTM:
                return self._lstm(parts, *c)
            case CellKind.RNN:
                return self._rnn(parts)
            case CellKind.LINEAR:
                raise SimulatorBug("a linear layer has no hidden state")

    def _gru(self, parts: list[Array], h: Array) -> tuple[Array, ...]:
        """The new hidden state (1 - z) n + z h, n with its reset after the product."""
        gate, candidate = self._op.functions
        r, z = (self._function(gate, part) for part in parts[:2])
        x_part, h_part = (Operand(part, self._gate) for part in parts[2:])
        total = self._of_gate.value(x_part) + self._of_gate.product(Operand(r, self._activation), h_part)
        n = Operand(self._function(candidate, self._add("gate", self._gate.narrowed(total))), self._activation)
        update, old = Operand(z, self._activation), Operand(h, self._h)
        new = self._of_h.product(self._of_h.one_minus(update), n) + self._of_h.product(update, old)
        return (self._add("hidden", self._h.narrowed(new)),)

    def _lstm(self, parts: list[Array], c: Array) -> tuple[Array, ...]:
        """The new states c = f c + i g and h = o tanh(c)."""
        gate, candidate, output = self._op.functions
        assert self._c is not None
        i, f, g, o = (
            Operand(self._function(function, part), self._activation)
            for function, part in zip((gate, gate, candidate, gate), parts, strict=True)
        )
        of_c = IntegerArithmetic(self._c)
        new_c = self._add("cell", self._c.narrowed(of_c.product(f, Operand(c, self._c)) + of_c.product(i, g)))
        tanh_c = Operand(self._function(output, new_c, self._c), self._activation)
        return self._add("hidden", self._h.narrowed(self._of_h.product(o, tanh_c))), new_c

    def _rnn(self, parts: list[Array]) -> tuple[Array, ...]:
        """The new hidden state, the function of the one sum."""
        return (self._function(self._op.functions[0], parts[0], target=self._h),)

    def _function(
        self, function: FunctionSpec, x: Array, source: Encoding | None = None, target: Encoding | None = None
    ) -> Array:
        kind = "activation" if target is None else "hidden"
        evaluate = self._method.evaluator(function, source or self._gate, target or self._activation, self._overflows)
        return self._add(kind, evaluate(x))

    def _add(self, kind: str, result: tuple[Array, int]) -> Array:
        return self._overflows.add(kind, result)


def _fixed(formats: Formats, kind: str) -> Encoding:
    found = formats.format(kind)
    if not isinstance(found, Fixed):
        raise SimulatorBug(f"a delta machine's {kind} is {found}, which is no q format")
    return Encoding(found, found.scale)
