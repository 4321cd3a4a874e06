"""Small cases in exact formats, and the three that must agree in every bit: machine, untimed program, reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np

from archsim.checking import integer_reference
from archsim.checking.golden_run import Golden
from archsim.checking.integer_reference import integer_golden
from archsim.checking.numbers import Computation, Numbers
from archsim.engines.events import Arithmetic, MachineSpec, Options, execute
from archsim.engines.events.options import Jitter
from archsim.families.gemv.config import GemvConfig
from archsim.families.schedules import find_schedule
from archsim.golden.integer_layers import IntegerResult
from archsim.lowering.tensors import Results
from archsim.program.interpreter import interpret
from archsim.workload import NetworkTensors
from tests.strategies import AMPLE, Case, network, tensors

MACHINE = {
    "summary": "five rows of two multipliers",
    "clock_mhz": 100.0,
    "formats": "q4.12",
    "dram": {
        "kind": "simple",
        "efficiency": 1.0,
        "bandwidth_bytes_per_cycle": 8.0,
        "latency_cycles": 9,
        "burst_bytes": 8,
    },
    "weight_sram": {"capacity_bytes": AMPLE, "banks": 4, "port_bits": 64, "read_latency_cycles": 1},
    "input_buffer": {"capacity_bytes": AMPLE, "port_bits": 256, "prefetch_steps": 1},
    "state_buffer": {"capacity_bytes": AMPLE, "port_bits": 256},
    "mac_array": {"rows": 5, "columns": 2, "multiplier_latency_cycles": 1, "adder_latency_cycles": 1},
    "accumulators": {"entries": 90},
    "activation": {"lanes": 2, "latency_cycles": 3},
    "elementwise": {"lanes": 2, "cell_latency_cycles": 2, "hidden_latency_cycles": 1},
    "sequencer": {"issue_cycles": 1, "queue_depth": 8},
}

ONE_Q = {
    "weight": "q2.5",
    "input": "q3.5",
    "hidden": "q3.5",
    "accumulator": "q5.8",
    "gate": "q4.6",
    "activation": "q2.6",
    "cell": "q4.6",
}
"""Fixed point, W x and W h in one accumulation."""

TWO_Q = ONE_Q | {"input": "q2.6"}
"""Fixed point, W x and W h in two accumulations."""

TFLITE = {
    "weight": "int8/gate/gemmlowp",
    "input": "int8/asymmetric/gemmlowp",
    "hidden": "int8/asymmetric/gemmlowp",
    "accumulator": "int32/gemmlowp",
    "gate": "q4.12/gemmlowp",
    "activation": "q1.15/gemmlowp",
    "cell": "int16/power_of_two/gemmlowp",
}


def small_case(schedule: str, formats: Any, fields: dict[str, Any] | None = None, **network_fields: Any) -> Case:
    """A network of 3 steps of 2 sequences, I = 3 and H = 4, on the machine above with some of its fields changed."""
    document = MACHINE | {"formats": formats}
    for path, value in (fields or {}).items():
        section, _, name = path.partition(".")
        document[section] = document[section] | {name: value}  # type: ignore[operator]
    sizes = {"input_size": 3, "hidden_size": 4, "steps": 3, "batch": 2}
    return Case(GemvConfig.model_validate(document), network(**sizes | network_fields), schedule)


def drawn_tensors(case: Case, seed: int) -> NetworkTensors:
    """Numbers of the size that the seed says: 1/4, 1 or 4 times those of a normal distribution."""
    return tensors(case.spec, seed, (0.25, 1.0, 1.0, 4.0)[seed % 4])


def run_machine(
    case: Case, numbers: Numbers, *, jitter: Jitter | None = None, machine_spec: MachineSpec | None = None
) -> Computation:
    """The machine, at its own latencies or at others."""
    computation = numbers.begin(case.units)
    arithmetic = Arithmetic(computation.state, computation.datapath)
    execute(case.program, machine_spec or case.machine_spec(), Options(arithmetic=arithmetic, jitter=jitter))
    return computation


def run_untimed(case: Case, numbers: Numbers) -> Computation:
    """The untimed program."""
    computation = numbers.begin(case.units)
    interpret(case.program, computation.datapath, computation.state)
    return computation


def run_reference(case: Case, numbers: Numbers) -> Golden:
    """The integer reference."""
    return integer_golden(numbers, case.config, find_schedule(case.schedule, case.config.family))


def reference_overflows(case: Case, numbers: Numbers) -> dict[str, int]:
    """How many values the integer reference brought into a range, by kind, over all directions of all layers."""
    counted: Counter[str] = Counter()
    run = integer_reference.run_integer  # type: ignore[attr-defined]

    def counting(*arguments: Any) -> IntegerResult:
        result = run(*arguments)
        counted.update(result.overflows)
        return result

    with mock.patch.object(integer_reference, "run_integer", counting):
        run_reference(case, numbers)
    return dict(+counted)


def differing(got: Results | Golden, want: Results | Golden) -> list[str]:
    """What differs in any bit, and how many of its numbers: "output: 3 of 24", "h_n[0]: 1 of 8", ..."""
    found = []
    for name, a, b in _pairs(got, want):
        assert a.shape == b.shape, name
        count = int(np.count_nonzero(a != b))
        if count:
            found.append(f"{name}: {count} of {a.size}")
    return found


def _pairs(got: Results | Golden, want: Results | Golden) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    yield "output", got.output, want.output
    c_got, c_want = ([c for c in found.c_n if c is not None] for found in (got, want))
    for name, of_got, of_want in (("h_n", got.h_n, want.h_n), ("c_n", c_got, c_want)):
        for number, (a, b) in enumerate(zip(of_got, of_want, strict=True)):
            yield f"{name}[{number}]", a, b
