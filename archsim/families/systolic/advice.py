"""Says what it means that a bound binds on a machine of the family systolic, and which knob would move it."""

from __future__ import annotations

from archsim.families.advice import Advice

SYSTOLIC_ADVICE = Advice(
    bounds={
        "compute": (
            "The array has no cycle to spare: a vector of each sequence passes every tile. A larger array "
            "(systolic_array.rows, systolic_array.columns) or narrower numbers (formats, down to "
            "systolic_array.multiplier_bits) would shorten it."
        ),
        "dram": (
            "DRAM cannot deliver a step's weights faster: every tile is read whole, once a step, whatever the batch. "
            "More dram.bandwidth_bytes_per_cycle or a narrower weight format would shorten it; a larger batch would "
            "use each tile for more vectors."
        ),
        "weight_shift": (
            "Tiles cannot be shifted into the array faster than a row of weights a cycle. An array of fewer rows, or a "
            "larger batch for each tile, would help."
        ),
        "systolic_array": (
            "This schedule's vectors hold the array for that long, ragged tiles included. Sizes that are multiples of "
            "systolic_array.rows and columns waste none of it."
        ),
        "accumulators": (
            "Sums cannot leave the accumulators faster than a vector of systolic_array.columns a cycle. Gates that "
            "fill the columns waste none of it."
        ),
        "activation": (
            "The activation unit cannot evaluate a step's sigmoids and tanhs faster. More activation.lanes would, or a "
            "wider unified_buffer.port_bits if its wait_port is large."
        ),
        "elementwise": (
            "The element-wise unit cannot update c and h faster. More elementwise.lanes would, or a wider "
            "unified_buffer.port_bits if its wait_port is large."
        ),
        "host": "The host link cannot move x and h faster. More host.bandwidth_bytes_per_cycle would.",
        "recurrence": (
            "A step cannot begin its recurrent part before the step before has finished h, and the chain from there to "
            "its own h is this long, whatever else runs beside it; all tiles of W_hh are on it, and "
            "sequencer.token_latency_cycles for each handover from unit to unit."
        ),
        "sequencer": "The sequencer cannot issue a step's ops faster. Fewer sequencer.issue_cycles would.",
    },
    explained={
        "dram": ("wait_weights",),
        "weight_shift": ("wait_weights",),
        "recurrence": ("wait_recurrence",),
        "sequencer": ("wait_issue",),
    },
    knobs={
        "wait_weights": " More dram.bandwidth_bytes_per_cycle or more weight_fifo.tiles would shorten it.",
        "wait_accumulator": " More accumulators.vectors would shorten it.",
        "wait_issue": " A deeper sequencer.queue_depth or fewer sequencer.issue_cycles would shorten it.",
    },
)
