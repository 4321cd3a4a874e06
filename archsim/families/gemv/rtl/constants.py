"""The constants of the generated package: sizes, latencies, widths, and how much there is of everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.rtl.encode import Encoded, Encoder, Values
from archsim.families.gemv.rtl.formats import address_of, format_constants, table_shape
from archsim.families.gemv.rtl.memories import Memory, VectorMap
from archsim.families.gemv.rtl.op_words import WordSizes, op_words, tag_words
from archsim.families.gemv.rtl.tokens import Edge, Segment
from archsim.hardware.unit import ceil_div

UNITS = ("dma", "mac", "act", "ew")
"""The units in the order in which the RTL numbers their ops."""

CREDIT_BITS = 12
FLAGS = frozenset({"HAS_VECTOR", "EW_READS_SUMS", "SCRATCH_FROM_ACTIVATION", "TABLE_LINEAR"})
"""The constants that are a bit, beside those whose name ends in _WRAP."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the constants follow from; `first`: the number of each unit's first op, `depths`: of units of one depth."""

    config: GemvConfig
    gru: bool
    batch: int
    sum_rows: int
    vectors: VectorMap
    encoder: Encoder
    ops: Mapping[str, Sequence[Encoded]]
    first: Mapping[str, int]
    depths: Mapping[str, int]
    sizes: WordSizes
    segments: Sequence[Segment]
    edges: Sequence[Edge]

    def count(self, unit: str) -> int:
        """How many ops a unit has room for; at least one, which is then never issued."""
        return max(1, len(self.ops[unit]))


def bits_below(count: int) -> int:
    """The bits of the numbers below `count`, at least 1."""
    return max(1, (count - 1).bit_length())


def kind_of(name: str) -> str:
    """The type of a constant."""
    return "bit" if name in FLAGS or name.endswith("_WRAP") else "int"


def constants(parts: Parts) -> Mapping[str, int]:
    """All constants by name."""
    config = parts.config
    array, ew, sizes_of = config.mac_array, config.elementwise, parts.vectors.sizes
    vectors = [encoded.values for encoded in parts.ops["dma"] if encoded.values.get("kind", 0) >= 2]
    lines = [encoded.values for encoded in parts.ops["dma"] if encoded.values.get("kind") == 0]
    biases = [encoded.values for encoded in parts.ops["dma"] if encoded.values.get("kind") == 1]
    fill = _share(vectors)
    lanes = config.activation.lanes, ew.lanes
    converter = array.converter_latency_cycles if config.formats.converts_sums else 0
    entries = sum(len(segment.entries) for segment in parts.segments)
    table = table_shape(config, address_of(config))
    places = int(config.activation.piecewise_linear.span * 2.0 ** address_of(config).fraction_bits)
    depths = {
        "DRAM_LATENCY": config.dram.latency_cycles,  # type: ignore[union-attr]
        "MAC_DEPTH": parts.depths["mac"],
        "ACT_DEPTH": parts.depths["act"],
        "CELL_DEPTH": ew.cell_latency_cycles,
        "HIDDEN_DEPTH": ew.hidden_latency_cycles,
    }
    return {
        "R": array.rows,
        "C": array.columns,
        "B": parts.batch,
        "SR": parts.sum_rows,
        "LA": lanes[0],
        "LE": lanes[1],
        "FL": fill,
        "WL": _share(lines),
        "BL": _share(biases),
        "HL": max(fill, *lanes),
        "EL": max(lanes),
        "AW": parts.sizes.address,
        "CW": parts.sizes.count,
        **format_constants(config, scratch_is_gate=parts.gru),
        "WL_OF_BIAS": _share(biases) * parts.sum_rows * format_constants(config, scratch_is_gate=parts.gru)["ACB"],
        "WEIGHT_LATENCY": config.weight_sram.read_latency_cycles,
        "MULTIPLIER_LATENCY": array.multiplier_latency_cycles,
        "ADDER_LATENCY": array.adder_latency_cycles,
        "CONVERTER_STAGES": converter,
        **depths,
        "EW_COMMON": min(2, ew.cell_latency_cycles, ew.hidden_latency_cycles),
        "DMA_RING": depths["DRAM_LATENCY"] + 2,
        "MAC_RING": depths["MAC_DEPTH"] + 2,
        "ACT_RING": depths["ACT_DEPTH"] + 2,
        "EW_RING": max(ew.cell_latency_cycles, ew.hidden_latency_cycles) + 2,
        "QUEUE": config.sequencer.queue_depth,
        "ISSUE": config.sequencer.issue_cycles,
        "TOKEN_LATENCY": config.sequencer.token_latency_cycles,
        "OPS": parts.first["ew"] + parts.count("ew"),
        "IW": max(parts.sizes.dma_op, parts.sizes.mac_op, parts.sizes.act_op, parts.sizes.ew_op),
        **{f"{unit.upper()}_OPS": parts.count(unit) for unit in UNITS},
        **{f"{unit.upper()}_FIRST": parts.first[unit] for unit in UNITS[1:]},
        **{f"{unit.upper()}_IW": getattr(parts.sizes, f"{unit}_op") for unit in UNITS},
        **{f"{unit.upper()}_BITS": word.bits for unit, word in op_words(parts.sizes).items()},
        **{f"{word.name.removesuffix('_tag_t').upper()}_TAG_BITS": word.bits for word in tag_words(parts.sizes)},
        "SEQ_ENTRIES": entries,
        "SEQ_EW": bits_below(entries),
        "SEQ_SEGMENTS": len(parts.segments),
        "SEQ_SW": bits_below(len(parts.segments)),
        "SEQ_RW": max(segment.repeat for segment in parts.segments).bit_length(),
        "EDGES": len(parts.edges),
        "CREDIT_BITS": CREDIT_BITS,
        "WEIGHT_LINES": max(2, len(parts.encoder.weights.on_chip)),
        "BIAS_LINES": max(2, len(parts.encoder.biases.on_chip)),
        "DRAM_WEIGHT_LINES": max(2, len(parts.encoder.weights.outside)),
        "DRAM_BIAS_LINES": max(2, len(parts.encoder.biases.outside)),
        "DRAM_ELEMENTS": max(2, sizes_of[Memory.DRAM]),
        "X_DEPTH": max(2, sizes_of[Memory.X]),
        "H_DEPTH": max(2, sizes_of[Memory.H]),
        "C_DEPTH": max(2, sizes_of[Memory.C]),
        "SUMS_DEPTH": max(2, sizes_of[Memory.SUMS]),
        "GATES_DEPTH": max(2, sizes_of[Memory.GATES]),
        "SCRATCH_DEPTH": max(2, sizes_of[Memory.SCRATCH]),
        "VECTOR_DEPTH": max(2, sizes_of[Memory.VECTOR]),
        "HAS_VECTOR": int(sizes_of[Memory.VECTOR] > 0),
        "EW_READS_SUMS": int(parts.gru),
        "SCRATCH_FROM_ACTIVATION": int(not parts.gru),
        "SCALE_LINES": max(2, len(parts.encoder.scales)),
        "SCALE_IW": bits_below(max(2, len(parts.encoder.scales))),
        "TABLE_LINEAR": int(parts.encoder.functions.linear),
        "TABLE_ENTRIES": config.activation.table.entries,
        "TABLE_FINER": table.finer,
        "TABLE_REST_BITS": table.rest_bits,
        "TABLE_SPAN": table.span,
        "TABLE_BEYOND": table.beyond,
        "OFW": table.offset_bits,
        "TABLE_WORDS": len(parts.encoder.functions.words) + 2,
        "TABLE_IW": parts.sizes.function,
        "SLOPE_BITS": config.activation.piecewise_linear.coefficient_bits,
        "SEGMENTS_OF_LINES": config.activation.piecewise_linear.segments,
        "LINES_HIGHEST": min(max(places - 1, 0), (1 << 31) - 1),
        "LINES_LOWEST": max(-places, -(1 << 31)),
        "LINE_WORDS": len(parts.encoder.functions.words) + 2,
        "LINE_IW": parts.sizes.function,
    }


def _share(transfers: Sequence[Values]) -> int:
    """How much a transfer moves a beat at most."""
    return max((ceil_div(values["items"], values["occupancy"]) for values in transfers if values["items"]), default=1)
