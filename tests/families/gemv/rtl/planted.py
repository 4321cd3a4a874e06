"""Faults to plant in the RTL, each a text of a file and what it becomes; and the cases that notice them."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class SmallCase:
    """A small machine (tiny_2x2 with fields set), network and schedule."""

    workload: str
    schedule: str
    sets: tuple[str, ...]


_SMALL = (
    "mac_array.rows=4",
    "mac_array.columns=3",
    "mac_array.converter_latency_cycles=2",
    "accumulators.entries=16",
    "sequencer.queue_depth=2",
    "input_buffer.prefetch_steps=2",
    "activation.lanes=2",
    "elementwise.lanes=2",
)

LSTM = SmallCase(
    "lstm:4,5,t=5",
    "split_interleaved",
    (*_SMALL, "formats=tflite_int8", "activation.method=table", "clip=0.4"),
)
"""Scales that are no powers of two, zero points, sums that are continued, tables."""

FUSED = SmallCase(
    "lstm:4,5,t=3", "fused_gate_major", (*_SMALL, "formats=q3.5", "activation.method=table", "sequencer.issue_cycles=3")
)
"""One accumulation of [x, h], rounded to even chunk by chunk, whole gates."""

WIDE = SmallCase("lstm:20,5,t=3", "fused_interleaved", (*_SMALL, "formats=q1.7", "activation.method=table"))
"""Sums that leave their range."""

GRU = SmallCase(
    "gru:4,5,t=5,b=2",
    "fused_interleaved",
    (
        *_SMALL,
        "accumulators.entries=40",
        "formats=tflite_int8",
        "activation.method=piecewise_linear",
        "activation.piecewise_linear.segments=5",
        "activation.piecewise_linear.span=1.0",
        "elementwise.cell_latency_cycles=4",
    ),
)
"""Line segments, a batch, the candidate's parts apart."""

DEEP = SmallCase(
    "lstm:3,4,t=3",
    "fused_interleaved",
    (
        "formats=tflite_int8",
        "activation.method=table",
        "mac_array.rows=8",
        "accumulators.entries=16",
        "elementwise.cell_latency_cycles=40",
        "elementwise.hidden_latency_cycles=0",
        "state_buffer.port_bits=8",
    ),
)
"""Results that wait until those of a deeper op have passed the write port, two beats each."""

PROJECTED = SmallCase(
    "lstm:3,5,t=3,proj=4",
    "split_interleaved",
    (
        *_SMALL,
        "formats=tflite_int8",
        "formats.gate=q4.12/truncate",
        "formats.hidden=int8/asymmetric/half_up",
        "activation.method=table",
    ),
)
"""Sums of a projection in h's scale, which are rounded the gates' way, and h is rounded in another."""

AHEAD = ("ahead_interleaved", "ahead_gate_major")
"""Schedules under which each fault of the schedule's own modules is noticed besides."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault: in `file`, `text` becomes `instead`; `case` notices it."""

    what: str
    file: str
    text: str
    instead: str
    case: SmallCase


PLANTED = (
    Planted("queue without an end", "sequencer.sv", "left_out || place[", "left_out || 1'b1 || place[", LSTM),
    Planted("barrier lost", "sequencer.sv", "!fresh || !barrier ||", "1'b1 || !barrier ||", LSTM),
    Planted("issue a cycle early", "sequencer.sv", "16'(ISSUE - 1)", "16'(ISSUE - 2)", FUSED),
    Planted("credit lost", "credits.sv", "+ CW'(token[e])", "", LSTM),
    Planted("credit not taken", "credits.sv", "- CW'(started[OW'(CONSUMER[e*16+:16])])", "", LSTM),
    Planted("start on an empty edge", "credits.sv", "[e*CW+:CW]) <= 0)", "[e*CW+:CW]) < 0)", LSTM),
    Planted("free taken for done", "credits.sv", "AFTER_DONE[e] ? done_here", "!AFTER_DONE[e] ? done_here", LSTM),
    Planted("retires a cycle early", "unit_shell.sv", "now + TW'(1) + TW'(depth)", "now + TW'(depth)", LSTM),
    Planted("place given back late", "unit_shell.sv", "length < QW'(QUEUE) || start", "length < QW'(QUEUE)", LSTM),
    Planted(
        "starts on the last beat", "unit_shell.sv", "length != '0 && left == '0", "length != '0 && left <= CW'(1)", LSTM
    ),
    Planted("write beats shared", "unit_shell.sv", "since >= ring_beats[ring_read]", "1'b1", DEEP),
    Planted("slot beyond the last", "pointer.sv", "sum >= limit", "sum > limit", LSTM),
    Planted("pointer stands still", "pointer.sv", "here + step", "here", LSTM),
    Planted(
        "weights unsigned",
        "mac_rows.sv",
        "P'($signed(weights[(r*C+c%C)*WW+:WW]))",
        "P'(weights[(r*C+c%C)*WW+:WW])",
        LSTM,
    ),
    Planted("a level of the tree lost", "mac_rows.sv", "n = 1; n < L", "n = 2; n < L", LSTM),
    Planted("zero point of x", "mac_array.sv", "- VW'($signed(fetched.x_zero))", "", LSTM),
    Planted("zero point of h", "mac_array.sv", "- VW'($signed(fetched.h_zero))", "", LSTM),
    Planted("a column of x for h", "mac_array.sv", "CW'(c) < fetched.x_inputs", "CW'(c) <= fetched.x_inputs", FUSED),
    Planted("no bias", "mac_array.sv", "f.has_bias && chunk_now == '0", "1'b0 && chunk_now == '0", LSTM),
    Planted("sums begun anew", "mac_array.sv", "!f.starts || chunk_now", "chunk_now", LSTM),
    Planted("accumulator not cleared", "mac_array.sv", "if (summed.first) next", "if (summed.bias) next", LSTM),
    Planted(
        "a stage of the tag less",
        "mac_array.sv",
        "WEIGHT_LATENCY + MULTIPLIER_LATENCY + TREE",
        "MULTIPLIER_LATENCY + TREE",
        LSTM,
    ),
    Planted("rows' scales swapped", "mac_array.sv", "= scale[r*40+:40]", "= scale[(SR-1-r)*40+:40]", LSTM),
    Planted(
        "lanes of the batch swapped",
        "mac_array.sv",
        "sums_pointer + AW'(lane_now)",
        "sums_pointer + AW'(B - 1) - AW'(lane_now)",
        GRU,
    ),
    Planted("tie rounded up", "scale_round.sv", "half & (sticky | floor[0])", "half", FUSED),
    Planted("rounded once", "scale_round.sv", "mode == 2'd3 && factor != MB'(1)", "1'b0", GRU),
    Planted("no saturation", "narrow.sv", "!WRAP && sum > HIGHEST", "1'b0 && sum > HIGHEST", WIDE),
    Planted("no zero point of the result", "narrow.sv", "+ WS'(zero)", "", LSTM),
    Planted("no clip", "activation_lane.sv", "t1.clips && clipped >", "1'b0 && clipped >", LSTM),
    Planted("table's entry before", "table_lane.sv", "(offset + half)", "(offset)", LSTM),
    Planted("first breakpoint passed over", "lines_lane.sv", "int k = 1;", "int k = 2;", GRU),
    Planted(
        "factors swapped",
        "elementwise_lane.sv",
        "FACTOR_BITS'(a1) : FACTOR_BITS'(a1)",
        "FACTOR_BITS'(c1) : FACTOR_BITS'(c1)",
        LSTM,
    ),
    Planted("no second product", "elementwise_lane.sv", "t1.has_second ?", "1'b0 ?", LSTM),
    Planted("update gate not complemented", "elementwise_lane.sv", "t1.complement ?", "1'b0 ?", GRU),
    Planted("a lane too many written", "vec_mem.sv", "CW'(i) < wcount", "CW'(i) <= wcount", LSTM),
    Planted("DRAM a cycle early", "dma.sv", ".N(DRAM_LATENCY)) d_tag", ".N(DRAM_LATENCY - 1)) d_tag", LSTM),
)

_CARRY_OUT_SCHEDULES = ("sequencer.sv", "credits.sv", "unit_shell.sv", "pointer.sv")

PLANTED_AHEAD = tuple(
    replace(fault, case=replace(fault.case, schedule=schedule))
    for schedule in AHEAD
    for fault in PLANTED
    if fault.file in _CARRY_OUT_SCHEDULES
    # Gate by gate no two results of DEEP meet at a write port.
    if not (fault.case == DEEP and schedule == "ahead_gate_major")
)
