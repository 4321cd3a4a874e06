"""Makes the chains of one time step of a cell on a machine of the family npu.

LSTM, RNN and the GRU that resets before the product go as the published machine's compiler orders them (repository
intel/fpga-npu, compiler/npu_layers.py), with torch's meaning of z: a chain less would not compute it, and none more is
needed, as the second unit's adder makes 1 - z where z itself is not wanted. A GRU that resets after the product, which
that compiler does not have, takes as many chains: tanh moves to the last one. Biases begin the sums of x, which costs
no cycle; the published programs have none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from archsim.families.npu.buffers import EVRF, VECTOR, Registers
from archsim.families.npu.chains import At, Chain, Constant, Product, Register, Steps
from archsim.families.npu.config import MFU0_ADD, MFU0_MULTIPLY, MFU1_ADD, MFU1_MULTIPLY
from archsim.families.npu.vector_steps import AddTo, Function, OneMinus, Settle, Step, Times
from archsim.program.ir import Buffer, DataKind, Region
from archsim.workload.network import CellKind, FunctionSpec


class NpuCell(ABC):
    """The registers and chains of one cell."""

    def __init__(self, registers: Registers, source: Buffer, output: Buffer, output_start: int) -> None:
        """Take a cell; `source` and `output` say where x comes from and h goes to (from an entry on), over time."""
        self.spec = registers.spec
        self.prefix = registers.prefix
        self.source, self.output, self.output_start = source, output, output_start
        self._registers = registers
        self.w_ih = registers.matrix("W_ih", DataKind.W_IH)
        self.w_hh = registers.matrix("W_hh", DataKind.W_HH)
        self.bias = registers.bias()
        self.x = registers.x(source)
        self.h = registers.state("h", VECTOR, "h_0", slots=self._h_slots(registers))
        self.buffers: list[Buffer] = [self.w_ih, self.w_hh, *([self.bias] if self.bias else []), self.x, self.h]
        self.chains_of_x: list[Chain] = []
        self.chains_of_h: list[Chain] = []
        self.ones: Buffer | None = None
        self._make()

    def _h_slots(self, registers: Registers) -> int:
        """How many places h has: one, where no product of h is left to be made when the new h is written."""
        return 1

    @abstractmethod
    def _make(self) -> None:
        """Fill `chains_of_x`, which need no h of the step before, and `chains_of_h`, in program order."""

    def _vector(self, name: str, place: str, held: str, encoding: str) -> Buffer:
        return self._kept(self._registers.vector(name, place, held, encoding))

    def _sums(self, gate: int, name: str, place: str = MFU0_ADD) -> Buffer:
        """The vector that the chain W_ih x + bias of a gate leaves; the chain is added to the others."""
        sums = self._vector(f"x_{name}", place, "gate", "sums")
        first = gate * self.spec.hidden_size
        product = Product(self.w_ih, first, self.x, sums, True, self.bias, first)
        self.chains_of_x.append(Chain(f"{self.prefix}x_{name}", product, (sums,)))
        return sums

    def _of_h(self, gate: int, sums: Buffer, vector: Buffer | None = None) -> Product:
        """The product of W_hh with h (or another vector) for a gate, to be added to its sums."""
        return Product(self.w_hh, gate * self.spec.hidden_size, vector or self.h, sums, False)

    def _kept(self, buffer: Buffer) -> Buffer:
        self.buffers.append(buffer)
        return buffer

    def _function(self, number: int) -> FunctionSpec:
        return self.spec.functions[number]

    def _activate(self, number: int, source: Buffer, result: Buffer, *, gate: bool = True) -> Callable[[At], Function]:
        clip = self.spec.clip if gate else None
        return lambda at: Function(function=self._function(number), source=at(source), result=at(result), clip=clip)


def add_to(sums: Buffer) -> Steps:
    """The step that adds what a chain of x has left."""
    return lambda at: (AddTo(register=at(sums), result=at(sums)),)


def only(step: Callable[[At], Step]) -> Steps:
    """The steps of a unit that takes one step alone."""
    return lambda at: (step(at),)


class LstmCell(NpuCell):
    """Makes an LSTM's chains: 1 to 4 (x) and 6 to 11 (h) of the published program, in which 5 loads x."""

    def _make(self) -> None:
        i, f, g, o = range(4)
        x_f, x_g = self._sums(f, "f"), self._sums(g, "g")
        x_i, x_o = self._sums(i, "i"), self._sums(o, "o")
        gate_f = self._vector("f", MFU0_MULTIPLY, "activation", "gates")
        gate_i = self._vector("i", MFU1_MULTIPLY, "activation", "gates")
        gate_o = self._vector("o", MFU0_MULTIPLY, "activation", "gates")
        ig = self._kept(self._registers.product("ig", MFU1_ADD))
        c = self._kept(self._registers.state("c", EVRF, "c_0"))
        last = self._kept(self._registers.last_c())
        p = self.prefix
        for gate, name, sums, result in ((f, "f", x_f, gate_f), (i, "i", x_i, gate_i), (o, "o", x_o, gate_o)):
            steps = only(self._activate(0, sums, result))
            self.chains_of_h.append(Chain(f"{p}h_{name}", self._of_h(gate, sums), (result,), add_to(sums), steps))
        candidate = self._activate(1, x_g, gate_i)
        self.chains_of_h += [
            Chain(
                f"{p}ig",
                self._of_h(g, x_g),
                (ig,),
                add_to(x_g),
                lambda at: (candidate(at), Times(register=at(gate_i), like=at(gate_i), result=at(c))),
            ),
            Chain(
                f"{p}c",
                Register(c),
                (c,),
                lambda at: (Times(register=at(gate_f), like=at(c), result=at(c)),),
                lambda at: (AddTo(register=at(ig), result=at(c)),),
                last,
            ),
        ]
        tanh_c = self._activate(2, c, gate_o, gate=False)
        self.chains_of_h.append(
            Chain(
                f"{p}h",
                Register(c),
                (self.h,),
                lambda at: (
                    tanh_c(at),
                    Times(register=at(gate_o), like=at(gate_o), result=at(self.h), narrow=True),
                ),
                output=self.output,
            )
        )


class GruCell(NpuCell):
    """Makes a GRU's chains: 1 to 3 (x) and 5 to 9 (h) of the published program, in which 4 loads x."""

    def _make(self) -> None:
        r, z, n = range(3)
        x_z, x_r = self._sums(z, "z"), self._sums(r, "r")
        linear = self.spec.linear_before_reset
        x_n = self._sums(n, "n", MFU1_ADD if linear else MFU0_ADD)
        keep = self._vector("1-z", MFU0_MULTIPLY, "activation", "gates")
        keep_add = self._vector("1-z.add", MFU0_ADD, "activation", "gates")
        self.ones = keep
        zh = self._kept(self._registers.product("zh", MFU1_ADD))
        h_multiply = self._kept(self._registers.state("h.mul", MFU1_MULTIPLY, "h_0"))
        update = self._activate(0, x_z, keep)
        p = self.prefix
        self.chains_of_h += [
            Chain(
                f"{p}1-z",
                self._of_h(z, x_z),
                (keep, keep_add),
                add_to(x_z),
                lambda at: (update(at), OneMinus(like=at(keep))),
            ),
            Chain(
                f"{p}zh",
                Constant(keep),
                (zh,),
                lambda at: (OneMinus(register=at(keep_add), like=at(keep)),),
                lambda at: (Times(register=at(h_multiply), like=at(keep), result=at(self.h)),),
            ),
        ]
        candidate = self._reset_after(r, n, x_r, x_n) if linear else self._reset_before(r, n, x_r, x_n, h_multiply)
        act = self._activate(1, candidate, keep)
        new_h = (self.h, h_multiply)

        def multiply(at: At) -> tuple[Function | Times, ...]:
            step = Times(register=at(keep), like=at(keep), result=at(self.h))
            return (act(at), step) if linear else (step,)

        self.chains_of_h.append(
            Chain(
                f"{p}h",
                Register(candidate),
                new_h,
                multiply,
                lambda at: (AddTo(register=at(zh), result=at(self.h)),),
                self.output,
            )
        )

    def _reset_before(self, r: int, n: int, x_r: Buffer, x_n: Buffer, h: Buffer) -> Buffer:
        """Make n = function(W_in x + W_hn (r * h)): the candidate is what the last chain multiplies."""
        vector = self._vector("vector", VECTOR, "hidden", "vector")
        candidate = self._vector("n", EVRF, "activation", "gates")
        reset, act = self._activate(0, x_r, candidate), self._activate(1, x_n, candidate)
        self.chains_of_h += [
            Chain(
                f"{self.prefix}rh",
                self._of_h(r, x_r),
                (vector,),
                add_to(x_r),
                lambda at: (
                    reset(at),
                    Times(register=at(h), like=at(candidate), result=at(vector), narrow=True),
                ),
            ),
            Chain(f"{self.prefix}n", self._of_h(n, x_n, vector), (candidate,), add_to(x_n), only(act)),
        ]
        return candidate

    def _reset_after(self, r: int, n: int, x_r: Buffer, x_n: Buffer) -> Buffer:
        """Make n = function(W_in x + r * (W_hn h + b_hn)): the last chain takes what the function sees."""
        reset = self._vector("r", MFU0_MULTIPLY, "activation", "gates")
        candidate = self._vector("candidate", EVRF, "gate", "sums")
        act = self._activate(0, x_r, reset)
        units = self.spec.hidden_size
        bias = self.bias

        def settled(at: At) -> tuple[Step, ...]:
            place = at(candidate)
            b_hn = None if bias is None else Region(bias, 3 * units + place.start, 3 * units + place.stop)
            times = Times(register=at(reset), like=place, result=place)
            return (Settle(result=place, bias=b_hn), times)

        self.chains_of_h += [
            Chain(f"{self.prefix}r", self._of_h(r, x_r), (reset,), add_to(x_r), only(act)),
            Chain(
                f"{self.prefix}n",
                self._of_h(n, candidate),
                (candidate,),
                settled,
                lambda at: (AddTo(register=at(x_n), result=at(candidate)),),
            ),
        ]
        return candidate


class RnnCell(NpuCell):
    """Makes an RNN's chains: 1 (x) and 3 (h) of the published program, in which 2 loads x."""

    def _h_slots(self, registers: Registers) -> int:
        """One, or two where the chain that makes h goes in chunks: the later ones still multiply the old h."""
        return min(2, len(registers.config.mvu.row_chunks(self.spec.hidden_size)))

    def _make(self) -> None:
        sums = self._sums(0, "h")
        act = self._activate(0, sums, self.h)
        self.chains_of_h.append(
            Chain(
                f"{self.prefix}h",
                self._of_h(0, sums),
                (self.h,),
                add_to(sums),
                only(act),
                self.output,
            )
        )


NPU_CELLS: dict[CellKind, type[NpuCell]] = {CellKind.LSTM: LstmCell, CellKind.GRU: GruCell, CellKind.RNN: RnnCell}
