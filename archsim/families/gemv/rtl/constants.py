"""The constants of the generated package: sizes, latencies, widths, and how much there is of everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.rtl.encode import Encoded, Encoder
from archsim.families.gemv.rtl.formats import address_of, format_constants, integer_format, table_shape
from archsim.families.gemv.rtl.memories import Memory, VectorMap
from archsim.families.gemv.rtl.op_words import WordSizes, op_words, tag_words
from archsim.families.gemv.rtl.tokens import Edge, Segment
from archsim.hardware.dram.simple import SimpleDramConfig
from archsim.hardware.unit import ceil_div

UNITS = ("dma", "mac", "act", "ew")
"""The units in the order in which the RTL numbers their ops."""

CREDIT_BITS = 12
Constants = Mapping[str, int]
"""Constants by name; a bool is a bit in the package, any other number an int."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the constants follow from; `first`: the number of each unit's first op, `depths`: of units of one depth."""

    config: GemvConfig
    dram: SimpleDramConfig
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


def constants(parts: Parts) -> Constants:
    """All constants by name."""
    return {
        **_sizes(parts),
        **_dram(parts),
        **_array(parts),
        **_activation(parts),
        **_elementwise(parts),
        **_sequencer(parts),
        **_programs(parts),
        **_memories(parts),
    }


def _sizes(parts: Parts) -> Constants:
    """What several units share: sizes, widths, roundings."""
    config = parts.config
    lanes = config.activation.lanes, config.elementwise.lanes
    return {
        "R": config.mac_array.rows,
        "C": config.mac_array.columns,
        "B": parts.batch,
        "SR": parts.sum_rows,
        "LA": lanes[0],
        "LE": lanes[1],
        "HL": max(_fill(parts), *lanes),
        "EL": max(lanes),
        "AW": parts.sizes.address,
        "CW": parts.sizes.count,
        **format_constants(config, scratch_is_gate=parts.gru),
    }


def _dram(parts: Parts) -> Constants:
    """The unit `dram`: what it moves a beat, and when that is there."""
    biases = _share(parts, kind=1)
    return {
        "FL": _fill(parts),
        "WL": _share(parts, kind=0),
        "BL": biases,
        "WL_OF_BIAS": biases * parts.sum_rows * integer_format(parts.config, "accumulator").bits,
        "DRAM_LATENCY": parts.dram.latency_cycles,
        "DMA_RING": parts.dram.latency_cycles + 2,
        "DRAM_WEIGHT_LINES": max(2, len(parts.encoder.weights.outside)),
        "DRAM_BIAS_LINES": max(2, len(parts.encoder.biases.outside)),
        "DRAM_ELEMENTS": max(2, parts.vectors.sizes[Memory.DRAM]),
    }


def _array(parts: Parts) -> Constants:
    """The MAC array: its stages, and the converter's scales."""
    config, array = parts.config, parts.config.mac_array
    scales = max(2, len(parts.encoder.scales))
    return {
        "WEIGHT_LATENCY": config.weight_sram.read_latency_cycles,
        "MULTIPLIER_LATENCY": array.multiplier_latency_cycles,
        "ADDER_LATENCY": array.adder_latency_cycles,
        "CONVERTER_STAGES": array.converter_latency_cycles if config.formats.converts_sums else 0,
        "MAC_DEPTH": parts.depths["mac"],
        "MAC_RING": parts.depths["mac"] + 2,
        "SCALE_LINES": scales,
        "SCALE_IW": bits_below(scales),
    }


def _activation(parts: Parts) -> Constants:
    """The activation unit: its stages, its table and its lines."""
    config, functions = parts.config.activation, parts.encoder.functions
    address = address_of(parts.config)
    table = table_shape(parts.config, address)
    places = int(config.piecewise_linear.span * 2.0**address.fraction_bits)
    words = len(functions.words) + 2
    return {
        "ACT_DEPTH": parts.depths["act"],
        "ACT_RING": parts.depths["act"] + 2,
        "TABLE_LINEAR": functions.linear,
        "TABLE_ENTRIES": config.table.entries,
        "TABLE_FINER": table.finer,
        "TABLE_REST_BITS": table.rest_bits,
        "TABLE_SPAN": table.span,
        "TABLE_BEYOND": table.beyond,
        "OFW": table.offset_bits,
        "TABLE_WORDS": words,
        "TABLE_IW": parts.sizes.function,
        "SLOPE_BITS": config.piecewise_linear.coefficient_bits,
        "SEGMENTS_OF_LINES": config.piecewise_linear.segments,
        "LINES_HIGHEST": min(max(places - 1, 0), (1 << 31) - 1),
        "LINES_LOWEST": max(-places, -(1 << 31)),
        "LINE_WORDS": words,
        "LINE_IW": parts.sizes.function,
    }


def _elementwise(parts: Parts) -> Constants:
    """The element-wise unit: its stages."""
    unit = parts.config.elementwise
    return {
        "CELL_DEPTH": unit.cell_latency_cycles,
        "HIDDEN_DEPTH": unit.hidden_latency_cycles,
        "EW_COMMON": min(2, unit.cell_latency_cycles, unit.hidden_latency_cycles),
        "EW_RING": max(unit.cell_latency_cycles, unit.hidden_latency_cycles) + 2,
        "EW_READS_SUMS": parts.gru,
    }


def _sequencer(parts: Parts) -> Constants:
    """Sequencer, queues and tokens."""
    config, segments = parts.config.sequencer, parts.segments
    entries = sum(len(segment.entries) for segment in segments)
    return {
        "QUEUE": config.queue_depth,
        "ISSUE": config.issue_cycles,
        "TOKEN_LATENCY": config.token_latency_cycles,
        "SEQ_ENTRIES": entries,
        "SEQ_EW": bits_below(entries),
        "SEQ_SEGMENTS": len(segments),
        "SEQ_SW": bits_below(len(segments)),
        "SEQ_RW": max(segment.repeat for segment in segments).bit_length(),
        "EDGES": len(parts.edges),
        "CREDIT_BITS": CREDIT_BITS,
    }


def _programs(parts: Parts) -> Constants:
    """How many ops each unit's program has, and how wide their words are."""
    sizes = parts.sizes
    widths = {"dma": sizes.dma_op, "mac": sizes.mac_op, "act": sizes.act_op, "ew": sizes.ew_op}
    tags = {word.name: word.bits for word in tag_words(sizes)}
    return {
        "OPS": parts.first["ew"] + parts.count("ew"),
        "IW": max(widths.values()),
        **{f"{unit.upper()}_OPS": parts.count(unit) for unit in UNITS},
        **{f"{unit.upper()}_FIRST": parts.first[unit] for unit in UNITS[1:]},
        **{f"{unit.upper()}_IW": widths[unit] for unit in UNITS},
        **{f"{unit.upper()}_BITS": word.bits for unit, word in op_words(sizes).items()},
        **{f"{unit.upper()}_TAG_BITS": tags[f"{unit}_tag_t"] for unit in UNITS},
    }


def _memories(parts: Parts) -> Constants:
    """How much each memory holds."""
    elements = parts.vectors.sizes
    return {
        "WEIGHT_LINES": max(2, len(parts.encoder.weights.on_chip)),
        "BIAS_LINES": max(2, len(parts.encoder.biases.on_chip)),
        "X_DEPTH": max(2, elements[Memory.X]),
        "H_DEPTH": max(2, elements[Memory.H]),
        "C_DEPTH": max(2, elements[Memory.C]),
        "SUMS_DEPTH": max(2, elements[Memory.SUMS]),
        "GATES_DEPTH": max(2, elements[Memory.GATES]),
        "SCRATCH_DEPTH": max(2, elements[Memory.SCRATCH]),
        "VECTOR_DEPTH": max(2, elements[Memory.VECTOR]),
        "HAS_VECTOR": elements[Memory.VECTOR] > 0,
        "SCRATCH_FROM_ACTIVATION": not parts.gru,
    }


def _fill(parts: Parts) -> int:
    """How many elements of vectors are moved a beat at most."""
    return max(_share(parts, kind=2), _share(parts, kind=3))


def _share(parts: Parts, kind: int) -> int:
    """How much a transfer of a kind (0 weights, 1 biases, 2 vectors loaded, 3 stored) moves a beat at most."""
    transfers = [encoded.values for encoded in parts.ops["dma"] if encoded.values["kind"] == kind]
    return max((ceil_div(values["items"], values["occupancy"]) for values in transfers if values["items"]), default=1)
