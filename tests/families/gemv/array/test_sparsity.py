"""Structured sparsity of the weights: what is stored, chunks, ports, a whole run and its operators, derived by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.api import Simulation, simulate
from archsim.checking.pruning import kept_mask
from archsim.config import parse_override
from archsim.errors import ArchError
from archsim.families.gemv.array.mac_config import MacArrayConfig, SparsityConfig
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import load_arch
from archsim.formats import parse_format
from archsim.hardware.operators import REGISTER_BIT, multiplexer
from archsim.program.ir import DataKind
from archsim.program.sparsity import DENSE, Sparsity
from archsim.report import report_text
from tests.engines.events.test_side_by_side import service, tile

ARCH_CONFIGS = Path(__file__).resolve().parents[4] / "arch_configs"
WIDE = ("weight_sram.port_bits=1048576", "input_buffer.port_bits=1048576", "state_buffer.port_bits=1048576")
ONE_OF_TWO, ONE_OF_FOUR = "mac_array.sparsity={kept: 1, of: 2}", "mac_array.sparsity={kept: 1, of: 4}"


@pytest.mark.parametrize(
    ("kept", "of", "inputs", "groups", "stored", "choices", "index_bits"),
    [
        (2, 4, 8, 2, 4, 3, 2),  # 2:4: each of both is one of three columns
        (2, 4, 9, 3, 5, 3, 2),  # a last group of one column, which is kept
        (2, 4, 11, 3, 6, 3, 2),  # of three columns two are kept
        (1, 2, 5, 3, 3, 2, 1),
        (4, 8, 8, 1, 4, 5, 3),
        (3, 4, 8, 2, 6, 2, 1),
        (8, 64, 1024, 16, 128, 57, 6),  # a bank of 64, as of bank-balanced sparsity
        (1, 1, 7, 7, 7, 1, 0),
    ],
)
def test_what_is_stored(
    kept: int, of: int, inputs: int, groups: int, stored: int, choices: int, index_bits: int
) -> None:
    found = Sparsity(kept, of)
    assert (found.groups(inputs), found.stored(inputs)) == (groups, stored)
    assert (found.choices, found.index_bits) == (choices, index_bits)
    assert found.row_bits(inputs, parse_format("int8")) == stored * (8 + index_bits)


@pytest.mark.parametrize("text", ["2:4", "{kept: 2, of: 4}"])
def test_a_pattern_as_text(tmp_path: Path, text: str) -> None:
    """On the command line, and in a file."""
    of_set = load_arch("edge_16x16", [parse_override(f"mac_array.sparsity={text}")]).config
    assert isinstance(of_set, GemvConfig)
    assert of_set.mac_array.sparsity == SparsityConfig(kept=2, of=4)
    given = (ARCH_CONFIGS / "edge_16x16.yaml").read_text().replace("mac_array:\n", f"mac_array:\n  sparsity: {text}\n")
    (tmp_path / "sparse.yaml").write_text(given)
    assert load_arch(str(tmp_path / "sparse.yaml")).config == of_set


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "2-4",
            "expected a pattern, as 2:4 or {kept: 2, of: 4}, or null .*, got '2-4': n:m is n weights kept of each m",
        ),
        ("4:2", "got '4:2': kept 4 of 2: fewer must be kept than there are"),
        ("3:4", r"columns \(16\) must be a multiple of kept \(3\), as 15 or 18"),
        ("32:64", r"columns \(16\) must be a multiple of kept \(32\), as 32 "),
        ("1:1000000000", r"sparsity.of: expected an integer from 1 to 1,024 \(columns of a group, among which"),
        ("{kept: 1, of: 1025}", "sparsity.of: expected an integer from 1 to 1,024 "),
        ("0:4", "sparsity.kept: expected an integer from 1"),
    ],
)
def test_what_is_no_pattern(text: str, message: str) -> None:
    with pytest.raises(ArchError, match=message):
        load_arch("edge_16x16", [parse_override(f"mac_array.sparsity={text}")])


def test_groups_that_do_not_divide_the_columns_are_said() -> None:
    """20 columns are 6 groups of 3 and one of 2: 6 * 2 + 2 of 20 weights are kept."""
    arch = load_arch("edge_16x16", [parse_override("mac_array.sparsity=2:3")])
    text = " ".join(report_text(simulate(arch, "lstm:12,20,t=2")).split())
    assert "20 columns are 6 groups of 3 and one of 2, of which 2 weights are kept: 70.0 % of the row." in text
    assert "12 columns are" not in text


def array(columns: int, kept: int, of: int, x_columns: int | None = None) -> MacArrayConfig:
    fields: dict[str, Any] = {"rows": 4, "multiplier_latency_cycles": 1, "adder_latency_cycles": 1}
    return MacArrayConfig(columns=columns, x_columns=x_columns, sparsity=SparsityConfig(kept=kept, of=of), **fields)


@pytest.mark.parametrize(
    ("x_columns", "one_accumulation", "hidden", "chunks"),
    [
        (None, True, 18, 2),  # 3 groups of x, 5 of h, 4 a chunk
        (None, True, 21, 3),  # 3 and 6: h begins with a group, so that 31 inputs take as many as 36
        (None, False, 18, 3),  # 16 inputs a chunk: 1 of x, 2 of h
        (4, True, 18, 3),  # side by side, 8 inputs a chunk each: 2 of x, 3 of h
        (6, True, 18, 5),  # 12 and 4 inputs a chunk: 1 of x, 5 of h
    ],
)
def test_chunks_of_a_tile(x_columns: int | None, one_accumulation: bool, hidden: int, chunks: int) -> None:
    """I = 10, 2 of 4 on 8 columns: a chunk of all columns has 4 groups."""
    inputs = [(DataKind.W_IH, 10), (DataKind.W_HH, hidden)]
    assert array(8, 2, 4, x_columns).chunks(inputs, one_accumulation) == chunks


def test_a_chunk_waits_for_all_inputs_that_its_weights_are_chosen_from() -> None:
    """2 rows of 16 inputs, 1 of 4 kept, 2 columns: a chunk takes 8 inputs, 2 chunks.

    Float32: inputs are 16 words of 32 bits. Chunk 0 goes with word 7, in cycle 7, and chunk 1 with word 15: 16 cycles.
    A chunk's weights are 2 x 2 of 32 + 2 bits: with a port of 136 bits a word a chunk, with one of 135 three words for
    two chunks, of which chunk 0 needs two: it goes in cycle 1, chunk 1 in cycle 2.
    """
    of_four = ("mac_array.columns=2", "mac_array.sparsity={kept: 1, of: 4}")
    narrow = service(tile(16, 0), *of_four, *WIDE, "input_buffer.port_bits=32")
    assert (narrow.compute_cycles, narrow.port_cycles) == (2, 16)
    weights = [
        service(
            sparse_tile(16, Sparsity(1, 4)), *of_four, *WIDE, "weight_sram.banks=1", f"weight_sram.port_bits={bits}"
        )
        for bits in (136, 135)
    ]
    assert [found.port_cycles for found in weights] == [2, 3]


def sparse_tile(inputs: int, sparsity: Sparsity) -> Any:
    """A tile of x alone whose weights are stored as the machine has them."""
    made = tile(inputs, 0)
    (weights,) = made.weights
    kept = replace(weights.buffer, sparsity=sparsity, matrix=True)
    return replace(made, weights=(replace(weights, buffer=kept),))


def run(*sets: str, arch: str = "tiny_2x2", workload: str = "lstm_3_2_t4", **options: Any) -> Simulation:
    return simulate(load_arch(arch, [parse_override(text) for text in sets]), workload, **options)


TINY = (ONE_OF_TWO, "weight_sram.port_bits=66", "input_buffer.port_bits=128", "state_buffer.port_bits=128")


@pytest.mark.parametrize("executor", ["machine", "fast"])
def test_a_run_by_hand(executor: str) -> None:
    """docs/microarchitecture/units.md, "Structured sparsity": LSTM(3, 2) on tiny_2x2 with 1 of 2.

    Services: MAC tile (2, 4), all others as in cycles.md. The prologue takes 42 as there, since a row of 2 x 33 bits
    is 2 bursts of 8 bytes, and one of 33 bits one. Step 0 from 43: tiles 0.0 2 to 4, 0.1 to 6, done 10; 1.0 is issued
    at 7, 1.1 from 9 to 11, done 15; sigmoid_ifo[0] 11 to 14, tanh_g[0] to 15, done 17; sigmoid_ifo[1] 16 to 19,
    tanh_g[1] to 20, done 22; cell[1] 23, done 26; tanh_c[1] 27, done 30; hidden[1] 31, done 33: the next tile at 34, 32
    later. From step 1 on all tiles are issued when h comes: counted from the first, 1.1 is from 6 to 8, done 12;
    sigmoid_ifo[0] 9 to 12, tanh_g[0] to 13; sigmoid_ifo[1] 13 to 16, tanh_g[1] 16, done 19; cell[1] 20, done 23;
    tanh_c[1] 24, done 27; hidden[1] 28, done 30: the next tile at 31. The last h is stored from 31 on, done 36:
    45 + 32 + 2 * 31 + 36 = 175, when the epilogue of 8 begins.
    """
    stats = run(*TINY, timing_only=True, executor=executor).stats
    assert (stats.latency_cycles, stats.cycles_per_step) == (183, 31)
    assert run(timing_only=True, executor=executor).stats.latency_cycles == 198


def test_indexes_are_stored_and_moved() -> None:
    """LSTM(3, 2), 1 of 2: of 8 rows 2 weights of x and 1 of h, 33 bits each. Bytes of the tensors: 66 and 33."""
    traffic = run(*TINY, timing_only=True)
    sizes = {buffer.name: buffer.size_bytes for buffer in traffic.program.buffers if buffer.kind.is_matrix}
    assert sizes == {"dram.W_ih": 66, "W_ih": 66, "dram.W_hh": 33, "W_hh": 33}


def test_operators_by_hand() -> None:
    """16 tiles of 2 rows, each with 3 products of 5 inputs: 96 multiplications, each behind a multiplexer of 2.

    A chunk of 2 takes an addition in the tree and one in the accumulator, a chunk of one the latter alone. Registers of
    a row: 2 products, a sum and the accumulator, then a product, what passes the tree, and the accumulator; of a tile
    2 x 3 weights of 33 bits and all 5 inputs. A multiplexer of 32 bits has 7/16 of an adder of 32 bits.
    """
    simulation = run(*TINY, timing_only=True)
    energy, area = simulation.stats.energy, simulation.stats.area
    assert energy is not None
    assert area is not None
    found = energy.unit_uj["mac_array"]
    tiles, adder_pj = 16, 0.1
    assert found["multiply"] == pytest.approx(tiles * 6 * 3.7e-6)
    assert found["add"] == pytest.approx(tiles * 6 * 0.9e-6)
    assert found["multiplex"] == pytest.approx(tiles * 6 * 7 / 16 * adder_pj * 1e-6)
    row_bits = 32 * (4 + 3)
    assert found["register"] == pytest.approx(tiles * (2 * row_bits + 6 * 33 + 5 * 32) * 0.009e-6)


def test_the_area_of_the_multiplexers() -> None:
    """1 of 4 on an array of 2 x 2 multipliers: 3 multiplexers of 2 inputs each, 4 index registers of 2 bits, and the
    registers of 8 inputs instead of 2."""
    technology = load_arch("tiny_2x2").prices
    units = [simulation.stats.area for simulation in (run(timing_only=True), run(ONE_OF_FOUR, timing_only=True))]
    dense, sparse = (found.part_area_mm2["mac_array"] for found in units if found is not None)
    bits = 4 * 2 + 6 * 32
    more = 4 * 3 * technology.operator(multiplexer(32)).area_mm2 + bits * technology.operator(REGISTER_BIT).area_mm2
    assert sparse - dense == pytest.approx(more)


def test_the_largest_are_kept_and_of_equal_ones_the_first() -> None:
    rows = np.array([[1.0, -3.0, 2.0, 3.0, 0.5], [0.0, 0.0, 0.0, 0.0, 0.0], [2.0, 2.0, -2.0, 2.0, -1.0]])
    kept = kept_mask(rows, Sparsity(2, 4)).astype(int)
    assert kept.tolist() == [[0, 1, 0, 1, 1], [1, 1, 0, 0, 1], [1, 1, 0, 0, 1]]
    assert kept_mask(rows, DENSE).all()


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (("mac_array.sparsity={kept: 2, of: 2}",), "kept 2 of 2: fewer must be kept"),
        (("mac_array.sparsity={kept: 3, of: 4}",), r"columns \(2\) must be a multiple of kept \(3\)"),
        (
            ("mac_array.sparsity={kept: 2, of: 4}", "mac_array.columns=4", "mac_array.x_columns=1"),
            r"columns \(1\) must be a multiple of kept \(2\)",
        ),
        ((ONE_OF_TWO, "formats.weight=bfp8/block4"), "share exponents"),
    ],
)
def test_refusals(sets: tuple[str, ...], message: str) -> None:
    with pytest.raises(ArchError, match=message):
        load_arch("tiny_2x2", [parse_override(text) for text in sets])
