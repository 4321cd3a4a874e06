"""Defines a workload: what to compute, and where its numbers come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archsim.workload.activity import Activity
from archsim.workload.config import WorkloadConfig
from archsim.workload.network import DeltaThresholds, NetworkSpec


@dataclass(frozen=True, slots=True, repr=False)
class Workload:
    """A workload under the name by which its results are kept.

    `folder` is what the file names in `config` are relative to; `source` how the user named it; `overrides` what was
    changed with --set; `activity` what the file of that name in `config` has.
    """

    name: str
    source: str
    folder: Path
    config: WorkloadConfig
    overrides: tuple[str, ...] = ()
    activity: Activity | None = None

    def __repr__(self) -> str:
        """One line: what it is called, what its file says of it, and what was changed."""
        changed = f", with {', '.join(self.overrides)}" if self.overrides else ""
        about = f": {self.config.summary}" if self.config.summary else ""
        return f"<workload {self.name}{about}{changed}>"

    @property
    def spec(self) -> NetworkSpec:
        """The layers and sizes of the network."""
        config = self.config
        return NetworkSpec(
            config.layers(),
            config.steps,
            config.batch,
            config.sequence_lens,
            config.streaming,
            config.streams,
            self.activity,
            None if config.delta is None else DeltaThresholds(config.delta.x, config.delta.h),
            config.merge_modes(),
        )
