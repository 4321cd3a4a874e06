"""What the user asks of a reader of model files besides the file."""

from __future__ import annotations

from dataclasses import dataclass, field

from archsim.importers.tensors.naming import Naming


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of a reading: the function of RNNs that do not say it, and others' names of tensors."""

    nonlinearity: str | None = None
    naming: Naming = field(default_factory=Naming)
