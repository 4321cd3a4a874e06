"""Defines a schedule of machines with one MAC array: an order of the work, and how layers follow each other."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

from archsim.errors import ArchsimError
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.declared import check_declared
from archsim.families.gemv.deltas.cell import refuse_deltas
from archsim.families.gemv.deltas.order import DELTA_STEPS, delta_step
from archsim.families.gemv.layers import LaidOut, sequential, weights_stay
from archsim.families.gemv.order import WorkOrder
from archsim.families.schedule import Schedule
from archsim.program.ir import Program
from archsim.workload.network import NetworkSpec

Layers = Callable[[WorkOrder, NetworkSpec, GemvConfig], LaidOut]
"""From an order of the work to a program: layers.sequential or layers.wavefront."""


@dataclass(frozen=True, slots=True)
class GemvSchedule(Schedule[GemvConfig]):
    """A way of ordering the work on a machine of the family gemv, with a line about it."""

    name: str
    summary: str
    order: WorkOrder
    layers: Layers
    splits_sums: bool
    interleaves_gates: bool
    family: str = "gemv"

    @property
    def streams(self) -> bool:
        """All but those that make W_ih x of several steps at once, of which the later ones have not come yet."""
        return not self.order.phases.in_blocks

    def sends_deltas(self, spec: NetworkSpec) -> bool:
        """Whether the network is a delta network and the schedule skips for it.

        It does where it multiplies x and h apart, step by step, and keeps all weights on the chip.
        """
        order = self.order
        split = order.splits_sums and not order.streamed and not order.phases.in_blocks
        return split and (spec.delta is not None or spec.activity is not None)

    def program_key(self, spec: NetworkSpec, config: GemvConfig) -> Hashable:
        """What the program follows from: nothing is streamed if all weights fit, and a wavefront needs two layers."""
        try:
            streamed = self.order.streamed and not weights_stay(self.order, spec, config)
        except ArchsimError:  # there is no program
            return self.name
        order = self.order
        alone = len(spec.layers) == 1 and not spec.streaming
        layers = sequential if alone else self.layers
        return order.interleaved, order.compute, order.splits_sums, order.phases, order.split_groups, streamed, layers

    def build(self, spec: NetworkSpec, config: GemvConfig) -> Program:
        """Build the program of a network on a machine.

        CapacityError if the model does not fit, ScheduleError if the program is not what was declared.
        """
        order = self.order
        if self.sends_deltas(spec):
            refuse_deltas(spec, config)
            order = replace(order, compute=delta_step, phases=DELTA_STEPS)  # whose first_sums are the biases
        made = self.layers(order, spec, config)
        check_declared(self.order, spec, made.cells, made.program)
        return made.program

    def split_rows(self, spec: NetworkSpec, config: GemvConfig) -> tuple[frozenset[int], ...] | None:
        """The rows of each cell that are rounded twice: those of the first groups, if the order splits some."""
        count = self.order.split_groups
        if count is None:
            return None
        cells = self.layers(self.order, spec, config).cells
        return tuple(frozenset(cell.gate_rows(count(cell))) for cell in cells)


def gemv_schedule(order: WorkOrder, summary: str, layers: Layers = sequential) -> GemvSchedule:
    """The schedule of an order of the work; layers run one after the other, or as `layers` says."""
    return GemvSchedule(order.name, summary, order, layers, order.splits_sums, order.interleaved)
