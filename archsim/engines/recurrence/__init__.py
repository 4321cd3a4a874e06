"""The second executor: a program's timing as a max-plus recurrence in compiled array code, without SimPy."""

from archsim.engines.recurrence.chain import ChainTables
from archsim.engines.recurrence.executor import Run, execute_fast
from archsim.engines.recurrence.phase_arrays import ProgramTables
from archsim.engines.recurrence.refusal import length_refusal, machine_refusal, program_refusal
from archsim.engines.recurrence.timing import ServiceTimes, Timing

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
