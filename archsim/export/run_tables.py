"""Writes the tables that are asked for of a run while it goes on: all ops, all time steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archsim.api.op_rows import OpRow, OpRows, RowType, StepRow, StepRows, values_of
from archsim.api.tables import CsvWriter, ParquetWriter, TableWriter
from archsim.config.run_files import TableFormat, TableKind, table_file
from archsim.program.ir import Program
from archsim.trace import Trace
from archsim.trace.in_order import TimedOp


class RunTables:
    """The tables of one run under way."""

    def __init__(self, kinds: Sequence[TableKind], form: TableFormat, folder: Path, program: Program) -> None:
        def opened(kind: TableKind, row: RowType) -> TableWriter | None:
            if kind not in kinds:
                return None
            file = folder / table_file(kind, form)
            return ParquetWriter(file, row) if form is TableFormat.PARQUET else CsvWriter(file, row)

        self._ops, self._steps = opened(TableKind.OPS, OpRow), opened(TableKind.STEPS, StepRow)
        self._op_rows, self._step_rows = OpRows(program), StepRows(program)

    def add(self, timed: TimedOp) -> None:
        """Write an op, and note it in its time step; they come in program order."""
        if self._ops is not None:
            self._ops.add(values_of(self._op_rows.row(timed)))
        if self._steps is not None:
            self._step_rows.add(timed)

    def finish(self, trace: Trace) -> None:
        """Write the time steps, which are known at the end alone."""
        if self._steps is not None:
            for row in self._step_rows.rows([phase.start for phase in trace.phases]):
                self._steps.add(values_of(row))

    def close(self) -> None:
        """Close all files."""
        for table in (self._ops, self._steps):
            if table is not None:
                table.close()
