"""tiny_2x2 with lstm_3_2_t4, fused: every pJ from arch_configs/technology/node_45nm.yaml and a count made by hand.

LSTM(3, 2), T = 4, R = C = 2, float32; DDR4. The program is that of the worked example in
docs/microarchitecture/cycles.md: a step has 4 MAC tiles of 2 rows and K = 5 inputs (x and h are one accumulation: 2
chunks of 2 inputs and one of 1).
"""

from __future__ import annotations

from math import log, sqrt

import pytest

from archsim.api import Simulation, simulate
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.metrics import Stats
from archsim.workload import load_workload
from tests.present import present

STEPS, TILES = 4, 4 * 4
FLOAT_MULTIPLY, FLOAT_ADD, COMPARE, BIT = 3.7, 0.9, 0.1, 0.009
"""A comparator of 32 bits is an integer adder."""
LATENCY_US = 1.98
"""198 cycles at 100 MHz, op by op in test_latency."""
UJ = 1e-6


def run(*sets: str, arch: str = "tiny_2x2", workload: str = "lstm_3_2_t4") -> Simulation:
    machine = load_arch(arch, [parse_override(text) for text in sets])
    return simulate(machine, load_workload(workload), timing_only=True)


@pytest.fixture(scope="module")
def stats() -> Stats:
    return run().stats


def test_mac_array(stats: Stats) -> None:
    """160 MACs. A row's chunk of 2 registers 2 products, 1 sum of the tree and the accumulator; one of 1 passes the
    tree as well. A tile registers its 2 x 5 weights and 5 inputs once."""
    found = present(stats.energy).unit_uj["mac_array"]
    assert stats.macs == 160
    assert found["multiply"] == pytest.approx(160 * FLOAT_MULTIPLY * UJ)
    adds = TILES * 2 * (2 * (1 + 1) + (0 + 1))
    assert adds == 160
    assert found["add"] == pytest.approx(adds * FLOAT_ADD * UJ)
    row_bits = 32 * (2 * (2 + 1 + 1) + (1 + 1 + 1))
    bits = TILES * (2 * row_bits + 32 * (2 * 5 + 5))
    assert bits == 18_944
    assert found["register"] == pytest.approx(bits * BIT * UJ)
    assert found.keys() == {"multiply", "add", "register"}


def test_latency(stats: Stats) -> None:
    """A token takes a cycle, the first op is issued at 2. Services (occupancy, depth): MAC tile (3, 4); activation of n
    values (n, 2); cell (1, 2), hidden (1, 1), as each operand comes from a bank of its own; DRAM (8-byte words, 4).

    DRAM loads 8 + 4 + 4 words of each of two groups, h_0, c_0 and two of x_0: 2 + 36 + 4 = 42, when the steps begin.
    From there: tiles 0.0 and 0.1 from 3 and 6, done 10 and 13; 1.0 and 1.1 from 9 and 12, done 16 and 19; a token after
    13 sigmoid_ifo[0] from 14 to 17, tanh_g[0] to 18, done 20; cell[0] from 21 to 22, done 24; a token after 19
    sigmoid_ifo[1] from 20 to 23, tanh_g[1] to 24, done 26; cell[1] from 27 to 28, done 30; tanh_c[1] from 31 to 32,
    done 34; hidden[1] from 35 to 36, done 37. Its token lets tile 0.0 of the next step start at 38, 35 after 3. The
    last step's h is stored from 38 to 39, done 43: 42 + 3 * 35 + 43 = 190. h_n from 192, c_n to 194, done 198."""
    assert stats.latency_cycles == 198
    assert stats.latency_us == LATENCY_US


def test_activation(stats: Stats) -> None:
    """i, f, g, o and tanh(c) of 2 hidden units in 4 steps: 40 values, each with three multipliers, four adders, a
    comparator that limits the argument, four coefficients of 32 bits, and 2 stages of 32 bits. 256 pieces of four
    coefficients are 256 words x 128 bits, a point of the SRAM's table: 3.63 pJ a word."""
    found, values = present(stats.energy).unit_uj["activation"], 5 * 2 * STEPS
    assert found["multiply"] == pytest.approx(values * 3 * FLOAT_MULTIPLY * UJ)
    assert found["add"] == pytest.approx(values * 4 * FLOAT_ADD * UJ)
    assert found["compare"] == pytest.approx(values * COMPARE * UJ)
    assert found["table"] == pytest.approx(values * 3.63 * UJ)
    assert found["register"] == pytest.approx(values * 2 * 32 * BIT * UJ)


def test_elementwise(stats: Stats) -> None:
    """c = f c + i g: two products, a sum, 2 stages; h = o tanh(c): a product, 1 stage; 8 times each."""
    found, values = present(stats.energy).unit_uj["elementwise"], 2 * STEPS
    assert found["multiply"] == pytest.approx(values * 3 * FLOAT_MULTIPLY * UJ)
    assert found["add"] == pytest.approx(values * FLOAT_ADD * UJ)
    assert found["register"] == pytest.approx(values * (2 + 1) * 32 * BIT * UJ)


def test_elementwise_of_a_gru() -> None:
    """Candidate x + r h: a product, a sum; h = (1 - z) n + z h: two products, a difference, a sum; 8 times each."""
    found, values = present(run(workload="gru:3,2,t=4").stats.energy).unit_uj["elementwise"], 2 * STEPS
    assert found["multiply"] == pytest.approx(values * 3 * FLOAT_MULTIPLY * UJ)
    assert found["add"] == pytest.approx(values * 3 * FLOAT_ADD * UJ)


def test_dram_pays_for_whole_bursts(stats: Stats) -> None:
    """Bursts of 8 bytes. Rows of W_ih are 12 bytes: 2 bursts. A bias of 4 bytes is a burst of its own."""
    bursts = {"W_ih": 8 * 2, "W_hh": 8, "bias": 8, "h": 1, "c": 1, "x": STEPS * 2}
    found = present(stats.energy).memory_uj["dram"]
    per_burst = 8 * 8 * 5.1 * UJ
    assert found["read"] == pytest.approx({kind: count * per_burst for kind, count in bursts.items()})
    assert found["write"] == pytest.approx({"output": STEPS * per_burst, "h": per_burst, "c": per_burst})
    assert stats.dram_burst_bytes == {"read": 8 * sum(bursts.values()), "write": 8 * (STEPS + 2)}


def test_weight_sram(stats: Stats) -> None:
    """4 KiB in 2 banks with ports of 64 bits: 256 words x 64 bits, a point of the table. A tile reads 2 x 3 and 2 x 2
    weights: 3 and 2 words. A group of 4 rows is written in 6 and 4 words."""
    read, write = 1.965 * UJ, 3.961 * UJ
    found = present(stats.energy).memory_uj["weight_sram"]
    assert found["read"] == pytest.approx({"W_ih": TILES * 3 * read, "W_hh": TILES * 2 * read})
    assert found["write"] == pytest.approx({"W_ih": 2 * 6 * write, "W_hh": 2 * 4 * write})
    assert present(stats.area).part_area_mm2["weight_sram"] == pytest.approx(2 * 0.01516)
    assert present(stats.area).part_leakage_mw["weight_sram"] == pytest.approx(2 * 0.1004)


def below(least: float, following: float, words: float) -> float:
    """What a memory of fewer words than the table's least, 64, has: the line from 256 to 64 (two octaves) goes on."""
    found: float = least * (following / least) ** (log(words / 64) / log(256 / 64))
    return found


def test_bias_buffer(stats: Stats) -> None:
    """256 bytes in a bank for each of 2 rows, a word of 32 bits a bias: 32 words. A tile reads a bias a row, a group of
    4 rows is written in 4 words."""
    read, write = below(0.4093, 0.9392, 32) * UJ, below(1.021, 1.937, 32) * UJ
    found = present(stats.energy).memory_uj["bias_buffer"]
    assert found["read"] == pytest.approx({"bias": TILES * 2 * read})
    assert found["write"] == pytest.approx({"bias": 2 * 4 * write})
    assert present(stats.area).part_area_mm2["bias_buffer"] == pytest.approx(2 * below(0.002204, 0.007056, 32))


BANKS, COPIES_OF_H, COPIES_OF_C = 9, 4, 2
"""Banks of h, c, i, f, g, o, tanh(c), vectors, sums of x. h is read by the array, DRAM, the element-wise unit and
(where sequences end before others) the activation unit; c by the element-wise and the activation unit."""


def test_state_buffer(stats: Stats) -> None:
    """1 KiB in 9 banks, words of 64 bits: 128 / 9 words. An operand of a hidden unit takes a word of its own, each of
    the three gates of sigmoid_ifo one in its bank; what is written to h or c goes to every copy."""
    words = 1024 / 8 / BANKS
    read, write = below(0.8688, 1.965, words) * UJ, below(2.092, 3.961, words) * UJ
    found, units = present(stats.energy).memory_uj["state_buffer"], 2 * STEPS
    reads = {"h": TILES + STEPS + 1, "c": 2 * units + 1, "gate": (3 + 2) * units}
    writes = {"h": COPIES_OF_H * (1 + units), "c": COPIES_OF_C * (1 + units), "gate": (3 + 1 + 1) * units}
    assert found["read"] == pytest.approx({kind: count * read for kind, count in reads.items()})
    assert found["write"] == pytest.approx({kind: count * write for kind, count in writes.items()})
    built = BANKS + (COPIES_OF_H - 1) + (COPIES_OF_C - 1)
    assert present(stats.area).part_area_mm2["state_buffer"] == pytest.approx(built * below(0.004528, 0.01516, words))
    leakage_mw = built * below(0.0305, 0.1004, words)
    assert present(stats.area).part_leakage_mw["state_buffer"] == pytest.approx(leakage_mw)


def test_one_bank_holds_all_of_the_state() -> None:
    """1 KiB in words of 64 bits: 128 words, in the logarithm half way from 64 to 256. The three gates of sigmoid_ifo,
    96 bits that lie one behind the other, take two words."""
    stats = run("state_buffer.banks=one").stats
    read, write = sqrt(0.8688 * 1.965) * UJ, sqrt(2.092 * 3.961) * UJ
    found, units = present(stats.energy).memory_uj["state_buffer"], 2 * STEPS
    reads = {"h": TILES + STEPS + 1, "c": 2 * units + 1, "gate": (3 + 2) * units}
    writes = {"h": 1 + units, "c": 1 + units, "gate": (2 + 1 + 1) * units}
    assert found["read"] == pytest.approx({kind: count * read for kind, count in reads.items()})
    assert found["write"] == pytest.approx({kind: count * write for kind, count in writes.items()})
    assert present(stats.area).part_area_mm2["state_buffer"] == pytest.approx(sqrt(0.004528 * 0.01516))


def test_a_vector_that_is_projected_has_no_copy() -> None:
    """o tanh(c) before a projection is data of the kind h as well, but the array alone reads it.

    LSTM(3, 2) with a projection to 1, one step, R = 2: h_0 and h_1 are written to 4 copies, the 2 hidden units'
    o tanh(c) to one bank. The array reads h_0 in each of its 4 tiles and the vector in its projection, DRAM stores h_1
    as the step's output and as h_n."""
    stats = run(workload="lstm:3,2,t=1,proj=1").stats
    words = 1024 / 8 / BANKS
    read, write = below(0.8688, 1.965, words) * UJ, below(2.092, 3.961, words) * UJ
    found = present(stats.energy).memory_uj["state_buffer"]
    assert found["write"]["h"] == pytest.approx((2 * COPIES_OF_H + 2) * write)
    assert found["read"]["h"] == pytest.approx((4 + 1 + 2) * read)


def test_input_buffer_lies_below_the_table_and_so_do_others(stats: Stats) -> None:
    """256 bytes: 32 words, one octave below 64. x takes 2 words. Of each such memory the report says so."""
    read, write = below(0.8688, 1.965, 32) * UJ, below(2.092, 3.961, 32) * UJ
    found = present(stats.energy).memory_uj["input_buffer"]
    assert found["read"] == pytest.approx({"x": TILES * 2 * read})
    assert found["write"] == pytest.approx({"x": STEPS * 2 * write})
    table = "the table has 64 to 65,536 words x 32 to 512 bits"
    assert present(stats.energy).extrapolated == (
        f"bias_buffer: SRAM of 32 words x 32 bits: {table}",
        f"input_buffer: SRAM of 32 words x 64 bits: {table}",
        f"state_buffer: SRAM of 14 words x 64 bits: {table}",
    )


def test_accumulators_are_registers(stats: Stats) -> None:
    """Each tile writes two sums of 32 bits, each of which is read once."""
    found = present(stats.energy).memory_uj["accumulators"]
    assert found == {
        direction: pytest.approx({"partial_sum": TILES * 2 * 32 * BIT * UJ}) for direction in ("read", "write")
    }


def test_area_and_leakage(stats: Stats) -> None:
    """The array: 4 multipliers; in each row one adder of the tree and one of the accumulator, registers of 2 products,
    a sum and the accumulator; 4 weights and 2 inputs. Logic leaks 12.3 mW per mm2."""
    array_um2 = 4 * 7700 + 2 * 2 * 4184 + 32 * (2 * (2 + 1 + 1) + 4 + 2) * 5.98
    assert present(stats.area).part_area_mm2["mac_array"] == pytest.approx(array_um2 / 1e6)
    assert present(stats.area).part_leakage_mw["mac_array"] == pytest.approx(array_um2 / 1e6 * 12.3)
    # 256 pieces of four coefficients.
    lane_um2 = 3 * 7700 + 4 * 4184 + 137 + 15_880 + 2 * 32 * 5.98
    assert present(stats.area).part_area_mm2["activation"] == pytest.approx(lane_um2 / 1e6)
    lane_um2 = 2 * 7700 + 4184 + 2 * 32 * 5.98
    assert present(stats.area).part_area_mm2["elementwise"] == pytest.approx(lane_um2 / 1e6)
    assert present(stats.area).part_area_mm2["accumulators"] == pytest.approx(8 * 32 * 5.98 / 1e6)
    assert present(stats.energy).leakage_uj == pytest.approx(present(stats.area).leakage_mw * LATENCY_US / 1000)


def test_what_follows_from_the_sums(stats: Stats) -> None:
    energy = present(stats.energy)
    assert energy.total_uj == pytest.approx(energy.dynamic_uj + energy.leakage_uj + energy.dram_background_uj)
    assert energy.pj_per_mac == pytest.approx(energy.total_uj * 1e6 / 160)
    assert energy.power_mw == pytest.approx(energy.total_uj / LATENCY_US * 1000)
    assert energy.tops_per_w == pytest.approx(2 * 160 / (energy.total_uj * 1e6))
    of_dram = sum(energy.part_uj[name] for name in ("dram", "dram_phy", "dram_background"))
    assert energy.dram_share == pytest.approx(of_dram / energy.total_uj)
    assert energy.leakage_share == pytest.approx(energy.part_uj["leakage"] / energy.total_uj)


def test_int8_mac_of_tflite() -> None:
    """int8 x int8 with a zero point (9 bits): a product of 17 bits; a tree of two levels, of 18 and 19 bits; an
    accumulator of int32; a converter: 32 x 31 bits, a rounding adder of 32 bits.

    One tile of 4 rows, x and h (4 inputs each, a chunk of 4) accumulated apart, one step."""
    sets = ["formats=tflite_int8", "mac_array.rows=4", "mac_array.columns=4", "technology=node_45nm"]
    sets += ["mac_array.converter_latency_cycles=2"]
    found = present(run(*sets, arch="edge_16x16", workload="lstm:4,4,t=1").stats.energy).unit_uj["mac_array"]
    # 4 hidden units are 4 groups of one tile: 4 rows x (4 + 4) inputs each.
    multiply = 0.2 * (sqrt(8 * 9) / 8) ** SLOPE * 4 * 4 * 8
    convert = 3.1 * (sqrt(32 * 31) / 32) ** SLOPE * 4 * 4 * 2
    assert found["multiply"] == pytest.approx((multiply + convert) * UJ)

    def add(bits: int) -> float:
        return 0.05 * (bits / 16)  # from 16 bits (0.05 pJ) to 32 (0.1 pJ) proportional to the width

    chunks = 4 * 4 * 2
    adds = chunks * (2 * add(18) + add(19) + add(32)) + chunks * add(32)
    assert found["add"] == pytest.approx(adds * UJ)
    # Two stages of multipliers, one a level, the accumulator; two stages of q4.12 in the converter; weights and inputs.
    bits = chunks * (4 * 17 * 2 + 2 * 18 + 19 + 32 + 2 * 16) + 4 * (4 * 8 * 8 + 8 * 8)
    assert found["register"] == pytest.approx(bits * BIT * UJ)


SLOPE = 1.97713  # ln(3.1 / 0.2) / ln(32 / 8)


def test_functions_in_bfloat16_have_operators_of_8_bits() -> None:
    """docs/energy.md: floating point is priced by the significand, which has 8 bits in bfloat16 (7 and the leading 1).

    The technology has multipliers of 11 and 24 bits; the line through both in the logarithms goes on to 8: of energy
    1.1 pJ (8 / 11)^p with p = log(3.7 / 1.1) / log(24 / 11) = 1.555, 0.670 pJ; of area 1,640 um2 (8 / 11)^1.982, 872
    um2. Of adders 0.4 pJ (8 / 11)^1.039, 0.287 pJ, and 1,360 um2 (8 / 11)^1.440, 860 um2. With method
    exact a lane has two multipliers, three adders, 64 entries of 16 bits and 2 stages of 16 bits; 40 values are
    evaluated. The least SRAM of the table, 64 words x 32 bits with 1,054 um2 and 0.3577 pJ, is smaller than 64 x 16
    registers of 5.98 um2, 6,124.
    """
    stats = run("formats=bfloat16", "activation.method=exact").stats
    values, down = 5 * 2 * STEPS, log(8 / 11) / log(24 / 11)
    multiply, add = 1.1 * (3.7 / 1.1) ** down, 0.4 * (0.9 / 0.4) ** down
    assert (multiply, add) == (pytest.approx(0.670, abs=5e-4), pytest.approx(0.287, abs=5e-4))
    found = present(stats.energy).unit_uj["activation"]
    assert found["multiply"] == pytest.approx(values * 2 * multiply * UJ)
    assert found["add"] == pytest.approx(values * 3 * add * UJ)
    assert found["table"] == pytest.approx(values * 0.3577 * UJ)
    multiply_um2, add_um2 = 1640 * (7700 / 1640) ** down, 1360 * (4184 / 1360) ** down
    assert (multiply_um2, add_um2) == (pytest.approx(872, abs=0.5), pytest.approx(860, abs=0.5))
    lane_um2 = 2 * multiply_um2 + 3 * add_um2 + 1054 + 2 * 16 * 5.98
    assert present(stats.area).part_area_mm2["activation"] == pytest.approx(lane_um2 / 1e6)
