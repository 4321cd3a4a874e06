"""Names the traces and tables that can be written of a run, and their files."""

from __future__ import annotations

from enum import StrEnum


class TraceKind(StrEnum):
    """The forms of traces."""

    PERFETTO = "perfetto"
    VCD = "vcd"
    KONATA = "konata"

    @property
    def file(self) -> str:
        """The name of the trace's file."""
        return "trace.json.gz" if self is TraceKind.PERFETTO else f"trace.{self.value}"


class TraceArrows(StrEnum):
    """The arrows of a Perfetto trace."""

    PATH = "path"
    ALL = "all"


class TableKind(StrEnum):
    """What a table has a row of."""

    OPS = "ops"
    STEPS = "steps"


class TableFormat(StrEnum):
    """The forms of tables."""

    PARQUET = "parquet"
    CSV = "csv"


def table_file(kind: TableKind, form: TableFormat) -> str:
    """The name of a table's file."""
    return f"{kind.value}.{form.value}"


STREAM_FILES = (
    *(kind.file for kind in TraceKind),
    *(table_file(kind, form) for kind in TableKind for form in TableFormat),
)
"""The names of all files that are written while a run goes on."""
