"""Makes the tables of a run: all its ops, and all its time steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.api.machine_spec import machine_spec
from archsim.api.op_rows import OpRow, OpRows, StepRow, StepRows, values_of
from archsim.api.tables import Table
from archsim.critical import MAX_OPS
from archsim.engines.events import Options, execute
from archsim.errors import ScheduleError
from archsim.families.registry import build_units
from archsim.trace import Trace, Window
from archsim.trace.in_order import InOrder, TimedOp

if TYPE_CHECKING:
    from collections.abc import Callable

    from archsim.api.simulate import Simulation


def ops_table(simulation: Simulation) -> Table:
    """A row for each op of a run, in program order; ScheduleError if they are more than MAX_OPS."""
    rows, found = OpRows(simulation.program), []
    _execute(simulation, lambda timed: found.append(values_of(rows.row(timed))))
    return Table.of(OpRow, found)


def steps_table(simulation: Simulation) -> Table:
    """A row for each time step of each body of a run; ScheduleError if it has more than MAX_OPS ops."""
    rows = StepRows(simulation.program)
    trace = _execute(simulation, rows.add)
    return Table.of(StepRow, [values_of(row) for row in rows.rows([phase.start for phase in trace.phases])])


def _execute(simulation: Simulation, take: Callable[[TimedOp], None]) -> Trace:
    """Execute the run once more, without its numbers, for the times of all its ops."""
    program, arch = simulation.program, simulation.arch
    if program.op_instances > MAX_OPS:
        raise ScheduleError(
            f"a table of {program.op_instances:,} ops is more than the {MAX_OPS:,} that are kept in memory; "
            "archsim run --export ops writes them to a file as they come"
        )
    everything = Window(0, max(phase.repeat * phase.unroll for phase in program.phases))
    spec = machine_spec(program, arch, build_units(arch.config))
    return execute(program, spec, Options(window=everything, listener=InOrder(program, take).add))
