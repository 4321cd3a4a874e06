"""The second executor: a program's timing as a max-plus recurrence in compiled array code, without SimPy."""

from archsim.engines.recurrence.batch import BatchTiming, BatchTrace, ReleasedEnds, execute_batch, execute_released
from archsim.engines.recurrence.chain import ChainTables
from archsim.engines.recurrence.executor import Run, execute_fast
from archsim.engines.recurrence.lane_arrays import LaneResults
from archsim.engines.recurrence.lane_chains import longest_chains
from archsim.engines.recurrence.lanes import LONGEST_RUN
from archsim.engines.recurrence.phase_arrays import PhaseArrays, ProgramTables, arrays_of
from archsim.engines.recurrence.refusal import length_refusal, machine_refusal, program_refusal, refusal_of
from archsim.engines.recurrence.timing import Recorded, ServiceTimes, Timing

__all__ = [
    "LONGEST_RUN",
    "BatchTiming",
    "BatchTrace",
    "ChainTables",
    "LaneResults",
    "PhaseArrays",
    "ProgramTables",
    "Recorded",
    "ReleasedEnds",
    "Run",
    "ServiceTimes",
    "Timing",
    "arrays_of",
    "execute_batch",
    "execute_fast",
    "execute_released",
    "length_refusal",
    "longest_chains",
    "machine_refusal",
    "program_refusal",
    "refusal_of",
]
