"""Models the units of a delta machine: delta encoder, PE array and activation.

The index FIFO and the weight stream lie between encoder and array; they hold no ops of their own. A step's times on
both units follow from the columns that it multiplies (layer_times.py), so a session has them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from archsim.errors import SimulatorBug
from archsim.families.delta.config import (
    DeltaActivationConfig,
    DeltaConfig,
    DeltaEncoderConfig,
    PeArrayConfig,
)
from archsim.families.delta.kernels import multiply_kernel, scan_kernel, update_kernel
from archsim.families.delta.layer_times import LayerRules, LayerTimes, busy_cycles, layer_times
from archsim.families.delta.ops import ColumnOp, MultiplyColumns, Scan, UpdateHidden
from archsim.formats import Formats
from archsim.hardware.functions.method_registry import make_method
from archsim.hardware.lane_inventory import LaneInventory
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import (
    REGISTER_BIT,
    Operator,
    OperatorKind,
    Tally,
    adder,
    integer_adder,
    multiplier,
    times,
    width_of,
)
from archsim.hardware.unit import ConfigT, Service, Session, Unit, Work
from archsim.program.ir import Buffer, Op
from archsim.workload.activity import StepColumns
from archsim.workload.network import CellKind


class DeltaUnit(Unit[ConfigT]):
    """A unit without ports that could hold it: its memories are as wide as it needs them."""

    def __init__(self, config: ConfigT, formats: Formats) -> None:
        super().__init__(config, {}, formats)

    @property
    def recorded(self) -> bool:
        """True: a step takes what its columns make it take, whenever it begins."""
        return True

    def port_cycles(self, op: Op) -> int:
        """The cycles of the ports: 0."""
        return 0

    def write_cycles(self, op: Op, shared: Collection[str] = ()) -> int:
        """The cycles in which results pass write ports that others could need: 0."""
        return 0


class DeltaEncoder(DeltaUnit[DeltaEncoderConfig]):
    """Executes Scan."""

    name = "delta_encoder"
    summary = "compares x and h with what was sent last, a column a cycle; columns that have changed enter the FIFO"
    item_name = "column"

    @property
    def static(self) -> bool:
        return False

    def session(self, buffers: Sequence[Buffer]) -> Session:
        return _EncoderSession(self)

    def compute_cycles(self, op: Op) -> int:
        """The least cycles: those of an encoder that never stands still."""
        return self._op(op).rules.scan_cycles

    def depth_cycles(self, op: Op) -> int:
        return 0

    def first_cycles(self, op: Op) -> int:
        """The cycles until a first column could be at the FIFO's output: that is when the array begins to wait."""
        return first_output(self._op(op))

    def tally(self, op: Op) -> Tally:
        """A subtraction, a comparison and a register for each element of x and h."""
        rules = self._op(op).rules
        return times(self._lane(), rules.inputs + rules.hidden)

    def inventory(self) -> Tally:
        return self._lane()

    def _lane(self) -> Tally:
        bits = self.formats.format("hidden").bits
        return Counter({integer_adder(bits): 1, Operator(OperatorKind.COMPARE, bits): 1, REGISTER_BIT: bits})

    def work(self, op: Op) -> Work:
        rules = self._op(op).rules
        return Work(rules.inputs + rules.hidden, Fraction(1))

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        return scan_kernel(self._op(op), numerics)

    def _op(self, op: Op) -> Scan:
        if not isinstance(op, Scan):
            raise self.refuse(op)
        return op


class PeArray(DeltaUnit[PeArrayConfig]):
    """Executes MultiplyColumns."""

    name = "pe_array"
    summary = "multiplies a column's delta with a weight for each PE a cycle, in the order of the FIFO"
    item_name = "MAC"

    @property
    def static(self) -> bool:
        return False

    def session(self, buffers: Sequence[Buffer]) -> Session:
        return _ArraySession(self)

    def compute_cycles(self, op: Op) -> int:
        """The least cycles: the beats and marks of the step with the fewest."""
        columns = self._op(op)
        steps = () if columns.activity is None else columns.activity.steps
        nothing = 2 * columns.rules.mark_cycles
        return min((busy_cycles(step, columns.rules) for step in steps), default=nothing)

    def depth_cycles(self, op: Op) -> int:
        """The whole cycles between the last beat or mark and the begin of the activation."""
        return self.config.latency_cycles - 1

    def tally(self, op: Op) -> Tally:
        """A MAC for each product of the columns that are not skipped, in the mean of all steps, rounded."""
        return times(self._lane(), round(self.work(op).items))

    def inventory(self) -> Tally:
        return times(self._lane(), self.config.pes)

    def _lane(self) -> Tally:
        """A multiplier, an accumulator's adder, and registers of both factors, the product and the sum."""
        weight, delta = (width_of(self.formats.format(kind)) for kind in ("weight", "hidden"))
        accumulator = self.formats.format("accumulator").bits
        registers = 2 * (weight.bits + delta.bits) + accumulator
        return Counter({multiplier(weight, delta): 1, integer_adder(accumulator): 1, REGISTER_BIT: registers})

    def work(self, op: Op) -> Work:
        """The products of the columns that are not skipped, in the mean of all steps."""
        columns, most = self._op(op), Fraction(self.config.pes)
        if columns.activity is None:
            return Work(0, most)
        rows = columns.rules.burst_beats * self.config.pes
        return Work(Fraction(columns.activity.columns * rows, len(columns.activity.steps)), most)

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        return multiply_kernel(self._op(op), numerics)

    def _op(self, op: Op) -> MultiplyColumns:
        if not isinstance(op, MultiplyColumns):
            raise self.refuse(op)
        return op


class DeltaActivation(DeltaUnit[DeltaActivationConfig]):
    """Executes UpdateHidden; `pes` hidden units are a group."""

    name = "activation"
    summary = "gates and new h of a group of hidden units after another"
    item_name = "hidden unit"

    def __init__(self, config: DeltaActivationConfig, formats: Formats, pes: int) -> None:
        super().__init__(config, formats)
        self.method = make_method(config, formats)
        self._pes = pes

    @property
    def identity(self) -> tuple[Any, ...]:
        return (*super().identity, self._pes)

    def compute_cycles(self, op: Op) -> int:
        """The cycles of all groups, of the pipeline and of the way back: group_cycles (H / pes + pipeline) + feedback.

        The last word of h is fed back `feedback_cycles` before the next layer begins.
        """
        groups = self._op(op).old.entries // self._pes
        return self.config.group_cycles * (groups + self.config.pipeline_groups) + self.config.feedback_cycles

    def depth_cycles(self, op: Op) -> int:
        return 0

    def tally(self, op: Op) -> Tally:
        """Each hidden unit's gates (of an LSTM tanh(c), too), and the products and additions of its new state."""
        update = self._op(op)
        evaluations = update.kind.gates + (update.kind is CellKind.LSTM)
        of_unit = times(self._resources.evaluation, evaluations)
        if update.kind.has_gates:
            of_unit += self._arithmetic
        return times(of_unit, update.old.entries)

    def inventory(self) -> Tally:
        """A lane for each PE: the functions take turns in one evaluator."""
        return times(self._resources.inventory + self._arithmetic, self._pes)

    @property
    def _resources(self) -> LaneInventory:
        """What a lane of the functions is built of."""
        return self.method.resources(self.formats.format("activation"))

    @property
    def _arithmetic(self) -> Tally:
        """Three products and two additions, of a GRU and of an LSTM alike, each with a register."""
        gate, state = width_of(self.formats.format("activation")), width_of(self.formats.format("hidden"))
        return Counter({multiplier(gate, state): 3, adder(state): 2, REGISTER_BIT: 5 * state.bits})

    def work(self, op: Op) -> Work:
        return Work(self._op(op).old.entries, Fraction(self._pes, self.config.group_cycles))

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        return update_kernel(self._op(op), numerics, self.formats, self.method)

    def _op(self, op: Op) -> UpdateHidden:
        if not isinstance(op, UpdateHidden):
            raise self.refuse(op)
        return op


class _EncoderSession(Session):
    """The encoder's times, and for how long it stood still."""

    def __init__(self, unit: DeltaEncoder) -> None:
        self._unit = unit
        self._stood_still = 0

    def service(self, op: Op, repetition: int, queued_cycle: int, start_cycle: int) -> Service:
        """The scan of a step, with the cycles in which the FIFO was full."""
        times = step_times(op, repetition)
        self._stood_still += times.stood_still
        return Service(self._unit.compute_cycles(op), times.scanned, 0, self._unit.first_cycles(op))

    def counts(self) -> Mapping[str, int]:
        return {"stood_still_cycles": self._stood_still}


class _ArraySession(Session):
    """The array's times, and how many columns it has multiplied."""

    def __init__(self, unit: PeArray) -> None:
        self._unit = unit
        self._columns = 0

    def service(self, op: Op, repetition: int, queued_cycle: int, start_cycle: int) -> Service:
        """The beats and marks of a step, and the cycles between them; it begins when a first column could be there."""
        times = step_times(op, repetition)
        assert isinstance(op, MultiplyColumns)
        assert op.activity is not None
        self._columns += op.activity.steps[repetition].count
        held = times.multiplied - first_output(op)
        return Service(times.busy, held, self._unit.depth_cycles(op))

    def counts(self) -> Mapping[str, int]:
        return {"columns": self._columns}


def first_output(op: ColumnOp) -> int:
    """The cycle, from the begin of a layer, in which its column 0 would be at the FIFO's output."""
    return op.rules.column_cycle(0) + op.rules.fifo_cycles


def step_times(op: Op, repetition: int) -> LayerTimes:
    """The times of a step of a layer."""
    if not isinstance(op, ColumnOp) or op.activity is None:
        raise SimulatorBug(f"'{op.label}' is timed, and it is not known which columns it multiplies")
    return _times(op.activity.steps[repetition], op.rules)


@lru_cache(maxsize=4096)
def _times(columns: StepColumns, rules: LayerRules) -> LayerTimes:
    """The times of such a step, kept: where nothing is skipped, all steps but the first are the same."""
    return layer_times(columns, rules)


DELTA_KINDS: tuple[type[Unit[Any]], ...] = (DeltaEncoder, PeArray, DeltaActivation)
"""Every kind of unit of the family."""


def delta_units(config: DeltaConfig) -> tuple[Unit[Any], ...]:
    """The units of a machine, in the order in which a column passes them."""
    formats = config.formats
    return (
        DeltaEncoder(config.delta_encoder, formats),
        PeArray(config.pe_array, formats),
        DeltaActivation(config.activation, formats, config.pe_array.pes),
    )
