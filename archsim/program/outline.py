"""What figures need of a program besides its order: the distinct ops of each phase, and how often each is executed."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.program.ir import Op, PhaseKind, Program


@dataclass(frozen=True, slots=True)
class PhaseOutline:
    """One op of each shape, and how often the phase executes ops of that shape."""

    kind: PhaseKind
    distinct: tuple[tuple[Op, int], ...]


@dataclass(frozen=True, slots=True)
class ProgramOutline:
    """The phases of a program by what they execute."""

    phases: tuple[PhaseOutline, ...]

    @staticmethod
    def of(program: Program) -> ProgramOutline:
        """The outline of a program."""
        return ProgramOutline(tuple(PhaseOutline(phase.kind, phase.distinct) for phase in program.phases))

    @property
    def macs(self) -> int:
        """The multiply-accumulates of the model over the whole run."""
        return sum(op.macs * times for phase in self.phases for op, times in phase.distinct)

    def of_kind(self, kind: PhaseKind) -> tuple[PhaseOutline, ...]:
        """All phases of a kind, in order."""
        return tuple(phase for phase in self.phases if phase.kind is kind)
