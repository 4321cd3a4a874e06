"""How many cycles layers and directions take, one after the other and side by side, derived by hand.

The machine is 2 x 2; RNN(2, 2) with K = I + H = 4 makes a step's smallest program: one tile, one activation.

    tile        2 chunks of 2 columns        the array is held for 2 cycles
    its depth   SRAM 1, multiplier 1, tree 1 level of 1, accumulator 1:  4
    activation  2 values on 2 lanes: 1 cycle, and 2 of depth

h_t is there 2 + 4 + 1 + 2 = 9 cycles after its tile has started, and only then can the tile of the next step start: the
array works in 2 of 9 cycles. Ports, DRAM and issue are never the limit; "store h" takes 1 cycle after the last step.
"""

from __future__ import annotations

import pytest

from archsim.families.gemv.config import GemvConfig
from archsim.metrics import Stats
from archsim.workload import load_workload
from tests.strategies import Case

MACHINE = GemvConfig.model_validate(
    {
        "summary": "2 x 2 MACs, nothing but the recurrence to wait for",
        "clock_mhz": 100.0,
        "formats": "float32",
        "dram": {
            "kind": "simple",
            "efficiency": 1.0,
            "bandwidth_bytes_per_cycle": 64.0,
            "latency_cycles": 0,
            "burst_bytes": 8,
        },
        "weight_sram": {"capacity_bytes": 4096, "banks": 2, "port_bits": 64, "read_latency_cycles": 1},
        "input_buffer": {"capacity_bytes": 1024, "port_bits": 256, "prefetch_steps": 2},
        "state_buffer": {"capacity_bytes": 1024, "port_bits": 256},
        "mac_array": {"rows": 2, "columns": 2, "multiplier_latency_cycles": 1, "adder_latency_cycles": 1},
        "accumulators": {"entries": 24},
        "activation": {"lanes": 2, "latency_cycles": 2},
        "elementwise": {"lanes": 2, "cell_latency_cycles": 2, "hidden_latency_cycles": 1},
        "sequencer": {"issue_cycles": 0, "queue_depth": 64},
    }
)
STEP, TILE, STORE = 9, 2, 1


def stats(workload: str, schedule: str = "fused_interleaved") -> Stats:
    return Case(MACHINE, load_workload(workload), schedule).simulate(timing_only=True).stats


def test_one_layer_waits_for_itself() -> None:
    alone = stats("rnn:2,2,t=10")
    assert alone.cycles_per_step == alone.bounds["recurrence"] == STEP
    assert alone.body_cycles == 10 * STEP + STORE
    assert alone.bounds["mac_array"] == TILE


@pytest.mark.parametrize("layers", [2, 3, 4])
def test_layers_one_after_the_other_add_up(layers: int) -> None:
    """Each layer is a body of its own, with the same 10 steps and its own store of the last h."""
    found = stats(f"rnn:2,2,t=10,layers={layers}")
    assert found.cycles_per_step == found.bounds["recurrence"] == layers * STEP
    assert found.body_cycles == layers * (10 * STEP + STORE)


@pytest.mark.parametrize("layers", [2, 3, 4])
def test_a_wavefront_fills_the_bubbles(layers: int) -> None:
    """The L tiles of a repetition start 2 cycles after each other and all depend on the repetition before alone.

    2 L <= 9, so each finds its h when its turn comes round after 9 cycles: a repetition takes as long as a layer alone.
    There are T + L - 1 of them, the last layer's tile is L - 1 tiles late, and its last h is stored.
    """
    found = stats(f"rnn:2,2,t=10,layers={layers}", "fused_interleaved_wavefront")
    assert found.cycles_per_step == found.bounds["recurrence"] == STEP
    assert found.body_cycles == (10 + layers - 1) * STEP + (layers - 1) * TILE + STORE
    assert found.bounds["mac_array"] == layers * TILE


@pytest.mark.parametrize("layers", [5, 6])
def test_a_wavefront_is_no_faster_than_the_array(layers: int) -> None:
    """With 2 L > 9 no bubble is left: a step takes the 2 L cycles in which the array is held."""
    found = stats(f"rnn:2,2,t=20,layers={layers}", "fused_interleaved_wavefront")
    assert found.cycles_per_step == found.bounds["compute"] == layers * TILE
    assert found.steady_state_mac_utilization == 1
    assert stats(f"rnn:2,2,t=20,layers={layers}").cycles_per_step == layers * STEP


def test_both_directions_fill_each_others_bubbles() -> None:
    """Two independent recurrences: both take the 9 cycles of one, where one after the other would take 18."""
    both = stats("rnn:2,2,t=10,bidirectional=1")
    assert both.cycles_per_step == STEP < 2 * STEP
    assert both.body_cycles == 10 * STEP + TILE + STORE
    assert both.bounds["mac_array"] == 2 * TILE


def test_directions_of_two_layers() -> None:
    """A layer needs the whole output of a bidirectional one: two bodies, in each of which two directions overlap."""
    found = stats("rnn:2,2,t=10,layers=2,bidirectional=1")
    # The second layer's input are both directions: K = 4 + 2 is 3 chunks, so that its step takes 1 cycle more.
    assert found.cycles_per_step == STEP + (STEP + 1)
    assert found.body_cycles == (10 * STEP + TILE + STORE) + (10 * (STEP + 1) + (TILE + 1) + STORE)


@pytest.mark.parametrize(("kind", "gates"), [("lstm", 4), ("gru", 3), ("rnn", 1)])
def test_a_batch_reads_its_weights_once(kind: str, gates: int) -> None:
    """4 bytes x G H (I + H) a step come through the weight port whatever B is; sums and array cycles grow with B."""
    found = [stats(f"{kind}:2,2,t=5,b={batch}") for batch in (1, 2, 3)]
    for batch, of_batch in enumerate(found, start=1):
        reads = of_batch.traffic_bytes["weight_sram"]["read"]
        assert reads["W_ih"] == reads["W_hh"] == 5 * 4 * gates * 2 * 2
        assert of_batch.traffic_bytes["dram"]["read"]["W_ih"] == 4 * gates * 2 * 2
        assert of_batch.traffic_bytes["accumulators"] == {
            direction: {what: batch * size for what, size in sizes.items()}
            for direction, sizes in found[0].traffic_bytes["accumulators"].items()
        }
        assert of_batch.bounds["weight_sram"] == found[0].bounds["weight_sram"]
        assert of_batch.bounds["compute"] == batch * found[0].bounds["compute"]
