"""Resolves a point of a space: the machine and schedule that it stands for, and the key of its results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from archsim import __version__
from archsim.errors import CapacityError
from archsim.explore.space.expression import Scalar
from archsim.families.machine_config import MachineConfig


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a point has no figures, or not the ones it should: demand, bound and gap where they are numbers."""

    kind: str
    what: str
    need: float | None = None
    have: float | None = None
    unit: str = ""

    @property
    def gap(self) -> float | None:
        """How much is missing, in the reason's `unit`."""
        return None if self.need is None or self.have is None else self.need - self.have


@dataclass(frozen=True)
class Design:
    """Point number `number` of the grid.

    `inputs`: what tables show, parameters first, then derived fields. A machine that is not valid has a `reason`.
    """

    number: int
    inputs: Mapping[str, Scalar]
    schedule: str
    key: str
    reason: Reason | None = None
    make_config: Callable[[], MachineConfig | None] = field(default=lambda: None, repr=False, compare=False)

    @cached_property
    def config(self) -> MachineConfig | None:
        """The machine; None if it is not valid."""
        return self.make_config()


def design_key(arch_json: str, schedule: str, workloads: str, technology: str) -> str:
    """The SHA-256 of all that results depend on: archsim's version, machine, schedule, workloads and prices."""
    text = json.dumps([__version__, arch_json, schedule, workloads, technology])
    return hashlib.sha256(text.encode()).hexdigest()


def capacity_reason(error: CapacityError) -> Reason:
    """The reason of a CapacityError: what was needed, what there is, and for what."""
    return Reason("capacity", f"{error.memory}: {error.needed_for}", error.need, error.have, error.unit)
