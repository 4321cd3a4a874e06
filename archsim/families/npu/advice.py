"""Says what it means that a bound binds on a machine of the family npu, and which knob would move it."""

from __future__ import annotations

from archsim.families.advice import Advice

_STREAM = (
    "Every word of every chain passes this unit, one a cycle and in program order, also those of the x products and of "
    "chains that do nothing here; the loader has those of x beside them. Wider words (more mfu.lanes) or fewer "
    "sequences a core (more mvu.cores) would shorten it; more multipliers would not."
)

NPU_ADVICE = Advice(
    bounds={
        "compute": (
            "The multipliers have no cycle to spare: a matrix takes a micro-op for each row block and column block. "
            "More mvu.dpes, mvu.tiles or mvu.lanes would shorten it; a larger batch costs nothing up to mvu.cores x "
            "mvu.dot_units."
        ),
        "recurrence": (
            "A step cannot begin its recurrent part before the last word of h is written, and the chains from there to "
            "its own h are this long: each vector is waited for as a whole. Shorter pipelines would shorten it "
            "(mfu.*_latency_cycles, loader.write_back_latency_cycles, loader.tag_latency_cycles, "
            "evrf.read_latency_cycles), fewer sequencer.token_latency_cycles, and wider words (mfu.lanes)."
        ),
        "mvu": (
            "The matrix-vector unit is busy for that long, small matrices' unused row blocks included. More mvu.dpes, "
            "mvu.tiles or mvu.lanes would shorten it."
        ),
        "evrf": _STREAM,
        "mfu0": _STREAM,
        "mfu1": _STREAM,
        "ld": _STREAM,
        "sequencer": "The sequencer cannot issue a step's instructions faster. Fewer sequencer.issue_cycles would.",
    },
    explained={"recurrence": ("wait_recurrence",), "sequencer": ("wait_issue",)},
    knobs={
        "wait_buffer": " More fifos.depth_words would shorten it.",
        "wait_issue": " A deeper sequencer.queue_depth or fewer sequencer.issue_cycles would shorten it.",
    },
)
