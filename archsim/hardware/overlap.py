"""Sessions of units that take the next op before the one before it is done, and choose as they go what they do first.

Such a unit's times follow from what comes to it later. The machine says when an op enters, and asks again and again
what has become certain; the session works on only up to a cycle before which nothing more can enter.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from archsim.errors import SimulatorBug
from archsim.hardware.unit import Service, Session
from archsim.program.ir import Op


@dataclass(frozen=True, slots=True)
class Certain:
    """What has become certain of an op: the cycle in which it frees the unit, or in which its results are there.

    `port_from`, of results: as many cycles behind it as ports take for the op, these are there at the earliest. What an
    op brings passes a port no earlier than it comes, and what an op takes away goes on when it has passed.
    """

    ticket: int
    cycle: int
    done: bool
    port_from: int = 0


class OverlappingSession(Session):
    """The state of a unit that works on several ops at a time."""

    @abstractmethod
    def enter(self, op: Op, repetition: int, cycle: int) -> int:
        """An op enters in a cycle, in which the one before it has freed the unit; returns the number it is known by."""

    @abstractmethod
    def next_cycle(self) -> int | None:
        """The cycle in which to call `advance` if nothing enters before; None if all is certain that can be."""

    @abstractmethod
    def advance(self, cycle: int) -> Sequence[Certain]:
        """Work on up to what an op could change that enters in that cycle; returns what has become certain."""

    def service(self, op: Op, repetition: int, queued_cycle: int, start_cycle: int) -> Service:
        """Not to be asked: what an op takes follows from those that come later, too."""
        raise SimulatorBug(f"'{op.label}' enters a unit that overlaps ops: it has no service time when it starts")
