"""Groups rows by machine: how many were given, how many come from drawn runs, and how errors are spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from archsim.fidelity.row import Row

INFERRED: Mapping[str, str] = MappingProxyType(
    {
        "koios_lstm": "nothing that a cycle follows from; the range of its tables",
        "edgedrnn": "nothing that a step of these runs follows from; cells other than a GRU, and sizes beside theirs",
        "npu_s10nx": "nothing against its C++ model; why its RTL takes longer is not known",
        "elasticai_lstm": "nothing; but hardware would take a cycle a step more than its simulated VHDL",
        "ethos_u55_128": "how often numbers of drawn weights repeat; an estimate of a compiler, not hardware",
        "tpu_v1": "layer sizes of LSTM0, latencies of DRAM and host, width of the vector units",
        "brainwave_s10": "pipelines, buffers and formats of the vector units; figures are second-hand",
    }
)
"""What no source says of each machine, so that it is assumed."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The errors of rows: how many, the mean of their magnitudes, and the row that is worst."""

    count: int
    mean: float
    worst: Row | None

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Spread:
        """The spread of rows, which may be none."""
        if not rows:
            return cls(0, 0.0, None)
        return cls(
            len(rows), sum(abs(row.error) for row in rows) / len(rows), max(rows, key=lambda row: abs(row.error))
        )


@dataclass(frozen=True, slots=True)
class MachineRows:
    """The rows of one machine: those whose figures a source gives, and those of drawn runs of its own tool."""

    machine: str
    rows: tuple[Row, ...]
    inferred: str

    @property
    def given(self) -> Spread:
        """The errors of rows that were known when the machine was described."""
        return Spread.of([row for row in self.rows if not row.drawn])

    @property
    def drawn(self) -> Spread:
        """The errors of rows from drawn runs of other people's tools."""
        return Spread.of([row for row in self.rows if row.drawn])


def by_machine(rows: Sequence[Row]) -> tuple[MachineRows, ...]:
    """The machines in the order of their first rows."""
    names = dict.fromkeys(row.machine for row in rows)
    return tuple(
        MachineRows(name, tuple(row for row in rows if row.machine == name), INFERRED.get(name, "not said"))
        for name in names
    )
