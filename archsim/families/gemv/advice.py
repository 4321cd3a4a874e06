"""Says what it means that a bound binds on a machine with one MAC array, and which knob would move it."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.families.advice import Advice

ADVICE: Mapping[str, str] = {
    "compute": (
        "The multipliers have no cycle to spare: rows x columns MACs a cycle cannot do a step's work faster. More "
        "mac_array.rows or mac_array.columns would (or a higher clock_mhz, in us)."
    ),
    "weight_sram": (
        "The weight SRAM cannot deliver a step's weights faster. More weight_sram.banks or a wider "
        "weight_sram.port_bits would, as would a narrower weight format; a larger batch would use each weight more "
        "often."
    ),
    "recurrence": (
        "A step cannot begin its recurrent part before the step before has finished h, and the chain from there to "
        "its own h is this long, whatever else runs beside it. What shortens it: less work on the chain (x "
        "multiplied before h is there, as by the split schedules; a larger mac_array, with a weight_sram that feeds "
        "it) and shorter pipelines "
        "(weight_sram.read_latency_cycles, mac_array.multiplier_latency_cycles, mac_array.adder_latency_cycles, "
        "activation.latency_cycles, elementwise.cell_latency_cycles, elementwise.hidden_latency_cycles), and fewer "
        "sequencer.token_latency_cycles, which each handover from unit to unit on the chain takes."
    ),
    "mac_array": (
        "This schedule's tiles hold the MAC array for that long, ragged edges and slow ports included. A mac_array "
        "whose rows and columns divide 4H and I + H, more mac_array.columns, or, if wait_port is large, wider "
        "ports (weight_sram, input_buffer, state_buffer) would shorten it."
    ),
    "activation": (
        "The activation unit cannot evaluate a step's sigmoids and tanhs faster. More activation.lanes would, or a "
        "wider state_buffer.port_bits if its wait_port is large."
    ),
    "elementwise": (
        "The element-wise unit cannot update c and h faster. More elementwise.lanes would, or a wider "
        "state_buffer.port_bits if its wait_port is large."
    ),
    "dram": (
        "DRAM cannot load x and streamed weights and store h faster. More dram.bandwidth_bytes_per_cycle would, or, if "
        "a step's x or h is less than a burst, a smaller dram.burst_bytes (of kind ddr: more dram.channels, or a "
        "faster dram.device); if weights are streamed, more weight_sram.capacity_bytes, so that more of them stay, or "
        "a narrower weight format."
    ),
    "sequencer": (
        "The sequencer cannot issue a step's ops faster. Fewer sequencer.issue_cycles would, or fewer and larger "
        "ops (more mac_array.rows)."
    ),
}
"""For every bound of metrics.bounds.BOUNDS: what it means when it is the largest, and what would move it."""

_EXPLAINED = {
    "recurrence": ("wait_recurrence",),
    "weight_sram": ("wait_port",),
    "dram": ("wait_input", "wait_weights"),
    "sequencer": ("wait_issue",),
}
"""The losses of the MAC array that follow from the bound itself."""

_KNOBS = {
    "wait_port": " Wider ports (weight_sram, input_buffer, state_buffer) would shorten it.",
    "wait_input": " More dram.bandwidth_bytes_per_cycle (of kind ddr: dram.channels) or input_buffer.prefetch_steps "
    "would shorten it.",
    "wait_weights": " More dram.bandwidth_bytes_per_cycle (of kind ddr: dram.channels) or weight_sram.stream_slots, or "
    "more weight_sram.capacity_bytes, would shorten it.",
    "wait_accumulator": " More accumulators.entries would shorten it.",
    "wait_issue": " A deeper sequencer.queue_depth or fewer sequencer.issue_cycles would shorten it.",
}
"""What shortens a loss of the MAC array that the bound does not explain."""


GEMV_ADVICE = Advice(ADVICE, _EXPLAINED, _KNOBS)
