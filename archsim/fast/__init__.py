"""The second executor: a program's timing as a max-plus recurrence in compiled array code, without SimPy."""

from archsim.fast.executor import Run, execute_fast
from archsim.fast.refusal import refusal
from archsim.fast.tables import ProgramTables
from archsim.fast.timing import Timing

__all__ = ["ProgramTables", "Run", "Timing", "execute_fast", "refusal"]
