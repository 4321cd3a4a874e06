"""Streamed weights: cycles of a step in which DRAM is never idle, derived by hand.

LSTM(4, 4) in float32 on 4 rows of 4 columns: a group is the four gates of one hidden unit, so that W_ih and W_hh have 4
tiles of 4 x 4 weights, 64 bytes, each; the biases are 16 x 4 = 64 bytes. DRAM moves 4 bytes a cycle in bursts of 4 and
has no latency: a tile takes 16 cycles, and a step also loads x and stores h, 16 bytes, 4 cycles each.

    64 + 2 * 64 + 2 * 64 = 320 bytes    two slots of each matrix, all 8 tiles stream     8 * 16 + 8 = 136 cycles
    320 + 64 = 384                      and one tile of W_hh stays                       7 * 16 + 8 = 120
    64 + 256 + 2 * 64 = 448             W_hh whole, two slots of W_ih: 4 tiles stream    4 * 16 + 8 =  72
    448 + 64 = 512                      and one tile of W_ih stays                       3 * 16 + 8 =  56

A step's array work, 8 tiles of 1 chunk, and what follows the sums pass in the shadow of the two tiles of the next step
that are loaded ahead of it.
"""

from __future__ import annotations

import pytest

from archsim.families.gemv.config import GemvConfig
from tests.strategies import Case, workload

MACHINE = {
    "summary": "4 x 4 MACs behind a narrow DRAM",
    "clock_mhz": 100.0,
    "formats": "float32",
    "dram": {
        "kind": "simple",
        "efficiency": 1.0,
        "bandwidth_bytes_per_cycle": 4.0,
        "latency_cycles": 0,
        "burst_bytes": 4,
    },
    "input_buffer": {"capacity_bytes": 1024, "port_bits": 512, "prefetch_steps": 1},
    "state_buffer": {"capacity_bytes": 1024, "port_bits": 512},
    "mac_array": {"rows": 4, "columns": 4, "multiplier_latency_cycles": 1, "adder_latency_cycles": 1},
    "accumulators": {"entries": 64},
    "activation": {"lanes": 4, "latency_cycles": 1},
    "elementwise": {"lanes": 4, "cell_latency_cycles": 1, "hidden_latency_cycles": 1},
    "sequencer": {"issue_cycles": 0, "queue_depth": 8},
}


def cycles_per_step(capacity_bytes: int, slots: int = 2) -> float:
    sram = {"capacity_bytes": capacity_bytes, "banks": 4, "port_bits": 512, "read_latency_cycles": 1}
    config = GemvConfig.model_validate(MACHINE | {"weight_sram": sram | {"stream_slots": slots}})
    return Case(config, workload(4, 4, 20, 1), "fused_streamed").simulate(timing_only=True).stats.cycles_per_step


@pytest.mark.parametrize(
    ("capacity_bytes", "cycles"), [(320, 136), (383, 136), (384, 120), (447, 120), (448, 72), (511, 72), (512, 56)]
)
def test_cycles_of_a_step(capacity_bytes: int, cycles: int) -> None:
    """At each limit of the table, and a byte below it."""
    assert cycles_per_step(capacity_bytes) == cycles


def test_with_one_slot_dram_waits_for_the_array() -> None:
    """64 + 2 * 64 bytes hold a slot of each matrix: 8 * 16 + 8 + 3 * 2 = 142.

    A MAC tile reads both slots for 2 cycles (8 inputs on 4 columns), and only then can the next tiles come: DRAM stands
    still for 2 cycles behind mac[1], mac[2] and mac[3]. Beside mac[0] it stores h.
    """
    assert cycles_per_step(192, slots=1) == 142
