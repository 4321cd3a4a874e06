"""The sizes of a workload, and where its numbers come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archsim.workload.config import WorkloadConfig


@dataclass(frozen=True, slots=True)
class LstmSpec:
    """One LSTM layer with PyTorch's semantics (torch.nn.LSTM): sizes only, no numbers."""

    input_size: int
    hidden_size: int
    steps: int
    batch: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the gates over all steps: 4 H (I + H) T B."""
        return 4 * self.hidden_size * (self.input_size + self.hidden_size) * self.steps * self.batch

    def __str__(self) -> str:
        return f"LSTM({self.input_size}, {self.hidden_size}), T = {self.steps}, batch {self.batch}"


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload under the name by which its results are kept.

    `folder` is what the file names in `config` are relative to; `source` how the user named it.
    """

    name: str
    source: str
    folder: Path
    config: WorkloadConfig

    @property
    def spec(self) -> LstmSpec:
        """Its sizes."""
        config = self.config
        return LstmSpec(config.input_size, config.hidden_size, config.steps, config.batch)
