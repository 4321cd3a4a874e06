"""Says what became of a design: its figures on each workload, or why there are none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from archsim.explore.run.output_table import Output, OutputTable, RowOutputs
from archsim.explore.space.design import Reason

Outputs = Mapping[str, Output]
"""Name with dots -> figure, of one workload; None is a figure that the run does not have."""


class Kind(StrEnum):
    """How an evaluation ended."""

    DONE = "done"
    INFEASIBLE = "infeasible"
    FAILED = "failed"


class _Record(BaseModel):
    """An outcome as it stands in a line of JSON."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    key: str
    kind: Kind
    outputs: dict[str, dict[str, int | float | str | None]] = {}
    executor: str = ""
    reason: tuple[str, str, int | float | None, int | float | None, str] | None = None


_RECORD = TypeAdapter(_Record)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one design. `outputs`: workload -> its figures; `executor`: which one timed it.

    `alone`: why it was not evaluated in a batch with others, "" if it was; it is no part of the result.
    """

    key: str
    kind: Kind
    outputs: Mapping[str, Outputs]
    executor: str = ""
    reason: Reason | None = None
    alone: str = field(default="", compare=False)

    def to_json(self) -> str:
        """The outcome as one line of JSON; the same outcome is the same text."""
        begin = f'{{"key":{json.dumps(self.key)},"kind":"{self.kind.value}"'
        outputs = executor = reason = ""
        if self.outputs:
            texts = ",".join(f"{json.dumps(name)}:{_text(found)}" for name, found in self.outputs.items())
            outputs, executor = f',"outputs":{{{texts}}}', f',"executor":{json.dumps(self.executor)}'
        if self.reason is not None:
            found = self.reason
            reason = f',"reason":{_text([found.kind, found.what, found.need, found.have, found.unit])}'
        return f"{begin}{outputs}{executor}{reason}}}"

    @staticmethod
    def from_json(text: str | bytes) -> Outcome:
        """Reads what `to_json` wrote; ValueError for anything else, also for a text that only looks like it."""
        data = _RECORD.validate_json(text)
        reason = None if data.reason is None else Reason(*data.reason)
        if (data.kind is Kind.DONE) != (reason is None) or bool(data.outputs) != (data.kind is Kind.DONE):
            raise ValueError("an outcome has figures or a reason")
        return Outcome(data.key, data.kind, data.outputs, data.executor, reason)


def write_outcomes(outcomes: Sequence[Outcome]) -> str:
    """The outcomes of a chunk as a line of JSON; those from tables as columns, each table once."""
    tables: dict[int, tuple[int, OutputTable]] = {}
    written: list[Any] = []
    for outcome in outcomes:
        rows = [(name, found) for name, found in outcome.outputs.items() if isinstance(found, RowOutputs)]
        if not rows or len(rows) < len(outcome.outputs):
            written.append([outcome.to_json(), outcome.alone])
            continue
        places = [[name, *_place(tables, found)] for name, found in rows]
        written.append([outcome.key, outcome.executor, places, outcome.alone])
    return json.dumps({"tables": [table.to_data() for _, table in tables.values()], "outcomes": written})


def read_outcomes(line: str | bytes) -> list[Outcome]:
    """Reads what `write_outcomes` wrote."""
    data = json.loads(line)
    tables = [OutputTable.from_data(table) for table in data["tables"]]
    found = []
    for written in data["outcomes"]:
        if len(written) == 2:
            plain, alone = Outcome.from_json(written[0]), written[1]
            found.append(Outcome(plain.key, plain.kind, plain.outputs, plain.executor, plain.reason, alone))
            continue
        key, executor, places, alone = written
        outputs = {name: tables[table].row(row) for name, table, row in places}
        found.append(Outcome(key, Kind.DONE, outputs, executor, alone=alone))
    return found


def _place(tables: dict[int, tuple[int, OutputTable]], found: RowOutputs) -> tuple[int, int]:
    number, _ = tables.setdefault(id(found.table), (len(tables), found.table))
    return number, found.row


def _text(value: object) -> str:
    if isinstance(value, RowOutputs):
        return value.text
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
