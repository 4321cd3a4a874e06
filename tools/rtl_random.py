"""Random machines and networks whose RTL is compared with the simulation: every op's times, every code.

    python -m tools.rtl_random [--first SEED] [--count N] [--folder FOLDER] [--keep]

Prints a line for each case that differs, with what reproduces it, and a summary; exit code 1 if any differs. Each case
is drawn from its number alone.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from archsim.cli.options import load_inputs
from archsim.errors import CapacityError
from archsim.rtl.check import check
from archsim.rtl.compare import Comparison
from archsim.rtl.expected import Expected, expect
from archsim.rtl.folder import write_design

SCHEDULES = tuple(f"{form}_{order}" for form in ("fused", "split", "ahead") for order in ("interleaved", "gate_major"))
ROUNDINGS = ("", "/half_up", "/truncate", "/gemmlowp")
_TRIES = 50


@dataclass(frozen=True, slots=True)
class Case:
    """A machine (a preset with fields set), a network, and a schedule."""

    number: int
    workload: str
    schedule: str
    sets: tuple[str, ...]

    def __str__(self) -> str:
        sets = " ".join(f"--set '{text}'" for text in self.sets)
        return f"archsim rtl tiny_2x2 {self.workload} -s {self.schedule} {sets}"


def draw(number: int) -> tuple[Case, Expected]:
    """The case of that number, and what the simulation says of it; a draw that does not fit is drawn again."""
    random = Random(number)
    for _ in range(_TRIES):
        case = _drawn(random, number)
        arch, workload = load_inputs("tiny_2x2", case.workload, list(case.sets))
        try:
            return case, expect(arch, workload, case.schedule)
        except CapacityError:
            continue
    raise AssertionError(f"case {number}: nothing that fits in {_TRIES} draws")


def run(number: int, folder: Path) -> tuple[Case, Comparison]:
    """Draw a case and compare its RTL, in a folder of its own."""
    case, expected = draw(number)
    own = folder / f"case_{number}"
    write_design(expected.design, own)
    return case, check(expected, own, runtime=folder / "runtime", vcd=False)


def _drawn(random: Random, number: int) -> Case:
    kind = random.choice(("lstm", "lstm", "gru", "rnn"))
    hidden = random.randint(1, 9)
    workload = f"{kind}:{random.randint(1, 9)},{hidden},t={random.randint(1, 6)},b={random.choice((1, 1, 1, 2, 3))}"
    workload += f",seed={random.randint(0, 999)}"
    if random.random() < 0.3:
        workload += ",layers=2"
    if random.random() < 0.25:
        workload += ",bidirectional=1"
    if kind == "lstm" and hidden > 1 and random.random() < 0.2:
        workload += f",proj={random.randint(1, hidden - 1)}"
    sets = [*_network(random, kind), *_machine(random), *_formats(random), *_activation(random)]
    return Case(number, workload, random.choice(SCHEDULES), tuple(sets))


def _network(random: Random, kind: str) -> list[str]:
    sets = []
    if random.random() < 0.2:
        sets.append("bias=false")
    if random.random() < 0.2:
        sets.append(f"clip={random.choice((0.3, 1.0, 2.5))}")
    if kind == "lstm" and random.random() < 0.2:
        sets.append("input_forget=true")
    if kind == "gru" and random.random() < 0.5:
        sets.append("linear_before_reset=false")
    return sets


def _machine(random: Random) -> list[str]:
    pick, whole = random.choice, random.randint
    return [
        f"mac_array.rows={whole(1, 9)}",
        f"mac_array.columns={whole(1, 6)}",
        f"mac_array.multiplier_latency_cycles={whole(0, 3)}",
        f"mac_array.adder_latency_cycles={whole(0, 2)}",
        f"mac_array.converter_latency_cycles={whole(0, 3)}",
        f"accumulators.entries={whole(20, 120)}",
        f"weight_sram.read_latency_cycles={whole(0, 3)}",
        "weight_sram.capacity_bytes=1MiB",
        f"weight_sram.port_bits={pick((8, 32, 64, 512))}",
        "input_buffer.capacity_bytes=64KiB",
        f"input_buffer.port_bits={pick((8, 16, 64, 256))}",
        f"input_buffer.prefetch_steps={whole(1, 4)}",
        "state_buffer.capacity_bytes=64KiB",
        f"state_buffer.port_bits={pick((8, 16, 64, 256))}",
        f"activation.lanes={whole(1, 5)}",
        f"activation.latency_cycles={whole(0, 6)}",
        f"elementwise.lanes={whole(1, 5)}",
        f"elementwise.cell_latency_cycles={whole(0, 5)}",
        f"elementwise.hidden_latency_cycles={whole(0, 5)}",
        f"dram.bandwidth_bytes_per_cycle={pick((0.7, 2, 8, 12.8, 64))}",
        f"dram.efficiency={pick((0.61, 0.95, 1))}",
        f"dram.latency_cycles={whole(0, 25)}",
        f"dram.burst_bytes={pick((1, 4, 8, 32))}",
        f"sequencer.issue_cycles={whole(1, 3)}",
        f"sequencer.queue_depth={whole(1, 8)}",
        f"sequencer.token_latency_cycles={pick((0, 1, 1, 2))}",
    ]


def _formats(random: Random) -> list[str]:
    rounding, wrap = partial(random.choice, ROUNDINGS), partial(random.choice, ("", "", "", "/wrap"))
    draw_of = random.random()
    if draw_of < 0.3:
        return ["formats=tflite_int8"]
    if draw_of < 0.5:
        fraction = random.randint(4, 12)
        return [f"formats=q{random.randint(2, 5)}.{fraction}{rounding()}{wrap()}"]
    weight = f"int{random.randint(4, 12)}{random.choice(('', '/row', '/gate'))}{rounding()}"
    vector = random.choice(("int8/asymmetric", "int8", "int12/asymmetric", "q2.7", "int6/power_of_two"))
    hidden = random.choice(("int8/asymmetric", "int8", "int10/asymmetric", "q2.9"))
    accumulator = f"int{random.choice((20, 24, 32, 40))}{wrap()}"
    gate = random.choice(("q4.12", "q3.8", "int16", "q5.14"))
    activation = random.choice(("q1.15", "q2.8", "int12", "int16/power_of_two"))
    cell = random.choice(("int16/power_of_two", "q4.12", "q3.9", "int16"))
    return [
        f"formats.{kind}={name}"
        for kind, name in (
            ("all", "tflite_int8"),
            ("weight", weight),
            ("input", vector + rounding()),
            ("hidden", hidden + rounding() + wrap()),
            ("accumulator", accumulator),
            ("gate", gate + rounding() + wrap()),
            ("activation", activation + rounding()),
            ("cell", cell + rounding() + wrap()),
        )
    ]


def _activation(random: Random) -> list[str]:
    address = random.choice(("q4.12", "q5.6", "q3.10/half_up", "q6.2/gemmlowp"))
    span = random.choice((2.0, 4.0, 8.0, 16.0))
    if random.random() < 0.4:
        return [
            "activation.method=piecewise_linear",
            f"activation.address_format={address}",
            f"activation.piecewise_linear.segments={random.randint(2, 12)}",
            f"activation.piecewise_linear.span={span}",
            f"activation.piecewise_linear.coefficient_bits={random.randint(6, 18)}",
        ]
    return [
        "activation.method=table",
        f"activation.address_format={address}",
        f"activation.table.entries={random.choice((16, 64, 256))}",
        f"activation.table.span={span}",
        f"activation.table.interpolation={random.choice(('nearest', 'linear'))}",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--count", type=int, default=1000, help="how many cases")
    parser.add_argument("--folder", type=Path, default=None, help="folder of the models; a temporary one if left out")
    parser.add_argument("--keep", action="store_true", help="keep the folders of cases that are equal")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    asked = parser.parse_args(arguments)
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="rtl-"))
    began, ops, codes, wrong = time.monotonic(), 0, 0, 0
    with ProcessPoolExecutor(asked.workers) as pool:
        for case, found in pool.map(partial(run, folder=folder), range(asked.first, asked.first + asked.count)):
            ops, codes = ops + found.ops, codes + found.codes
            if found.passed:
                if not asked.keep:
                    shutil.rmtree(folder / f"case_{case.number}")
                continue
            wrong += 1
            print(
                f"case {case.number}: {found.ops_equal} of {found.ops} ops, {found.codes_equal} of {found.codes} codes"
            )
            print(f"  {found.first}\n  {case}", flush=True)
    seconds = time.monotonic() - began
    print(f"{asked.count - wrong} of {asked.count} equal; {ops:,} ops, {codes:,} codes, {seconds:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
