"""The second executor: a program's timing as a max-plus recurrence in compiled array code, without SimPy."""

from archsim.fast.chain import ChainTables
from archsim.fast.executor import Run, execute_fast
from archsim.fast.refusal import length_refusal, machine_refusal, program_refusal
from archsim.fast.tables import ProgramTables
from archsim.fast.timing import ServiceTimes, Timing

__all__ = [
    "ChainTables",
    "ProgramTables",
    "Run",
    "ServiceTimes",
    "Timing",
    "execute_fast",
    "length_refusal",
    "machine_refusal",
    "program_refusal",
]
