"""What the user asks of a reader of model files besides the file."""

from __future__ import annotations

from dataclasses import dataclass, field

from archsim.importers.tensors.naming import Naming


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of a reading: the function of RNNs that do not say it, others' names of tensors, and
    whether linear layers around the recurrent ones are read."""

    nonlinearity: str | None = None
    naming: Naming = field(default_factory=Naming)
    whole: bool = False
