"""Says what became of a design: its figures on each workload, or why there are none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from archsim.explore.space.design import Reason

Output = int | float | str | None
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
    """The result of one design. `outputs`: workload -> its figures; `executor`: which one timed it."""

    key: str
    kind: Kind
    outputs: Mapping[str, Outputs]
    executor: str = ""
    reason: Reason | None = None

    def to_json(self) -> str:
        """The outcome as one line of JSON; the same outcome is the same text."""
        data: dict[str, Any] = {"key": self.key, "kind": self.kind.value}
        if self.outputs:
            data |= {"outputs": self.outputs, "executor": self.executor}
        if self.reason is not None:
            reason = self.reason
            data["reason"] = [reason.kind, reason.what, reason.need, reason.have, reason.unit]
        return json.dumps(data, separators=(",", ":"), allow_nan=False)

    @staticmethod
    def from_json(text: str | bytes) -> Outcome:
        """Reads what `to_json` wrote; ValueError for anything else, also for a text that only looks like it."""
        data = _RECORD.validate_json(text)
        reason = None if data.reason is None else Reason(*data.reason)
        if (data.kind is Kind.DONE) != (reason is None) or bool(data.outputs) != (data.kind is Kind.DONE):
            raise ValueError("an outcome has figures or a reason")
        return Outcome(data.key, data.kind, data.outputs, data.executor, reason)
