"""Gives every cause and use of a cycle its colour and hatch: the same in every figure and page of every run.

Of one hatch, colours differ in lightness, so that they are told apart in grey.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CycleLook:
    """The look of cycles: a colour that the colour-blind tell apart, and a hatch that tells it in grey."""

    colour: str
    hatch: str = ""


OTHER = CycleLook("#444444", "++++")
SMALL = CycleLook("#222222")
"""Parts too small for a look of their own, all together."""

CYCLE_LOOKS = {
    "useful": CycleLook("#0072B2"),
    "padding": CycleLook("#56B4E9", "////"),
    "stream": CycleLook("#56B4E9"),
    "drain": CycleLook("#009E73", "////"),
    "wait_port": CycleLook("#009E73", "...."),
    "write_port": CycleLook("#009E73", "xxxx"),
    "token": CycleLook("#E69F00", "||||"),
    "issue": CycleLook("#666666", "\\\\\\\\"),
    "wait_frame": CycleLook("#CC79A7", "++++"),
    "wait_recurrence": CycleLook("#D55E00", "||||"),
    "wait_input": CycleLook("#F0E442", "xxxx"),
    "wait_weights": CycleLook("#F0E442", "...."),
    "wait_accumulator": CycleLook("#CC79A7", "xxxx"),
    "wait_operand": CycleLook("#E69F00", "\\\\\\\\"),
    "wait_buffer": CycleLook("#CC79A7", "...."),
    "wait_issue": CycleLook("#999999", "----"),
    "prologue": CycleLook("#BBBBBB"),
    "handover": CycleLook("#CCCCCC", "////"),
    "epilogue": CycleLook("#777777"),
    "idle": CycleLook("#F2F2F2"),
}
"""What a cycle of a unit, or of the critical path, is -> its look; in the order in which they are drawn."""


def cycle_look(name: str) -> CycleLook:
    """The look of a bucket of cycles or of a cause; OTHER of one that is not known."""
    return CYCLE_LOOKS.get(name, OTHER)
