"""Gives units' cycles, causes and kinds of op their colours, the same in every chart of every run."""

from __future__ import annotations

SKY, ORANGE, GREEN, YELLOW = "#56B4E9", "#E69F00", "#009E73", "#F0E442"
PINK, BLUE, RED, GREY, PALE = "#CC79A7", "#0072B2", "#D55E00", "#999999", "#E5E5E5"
"""Okabe and Ito's colours, told apart by the colour-blind, and two greys."""

OTHER = GREY
_BY_NAME = {
    **dict.fromkeys(("mac", "mac_h", "h_i", "h_f", "h_o", "ig", "r", "1-z", "n"), GREEN),
    **dict.fromkeys(("mac_x", "gemm_x", "x_i", "x_f", "x_g", "x_o", "x_r", "x_z", "x_n"), "#66C2A4"),
    **dict.fromkeys(("mac_r", "project"), "#006D4F"),
    **dict.fromkeys(("cell", "c"), RED),
    **dict.fromkeys(("hidden", "h", "zh"), PINK),
    "reset": "#B2182B",
    "idle": PALE,
}
_BY_FIRST_WORD = {"load": SKY, "store": ORANGE, "sigmoid": YELLOW, "tanh": BLUE}
"""Of names of several words, the rest of which says which: "load W_hh", "sigmoid_ifo"."""

CYCLES = {
    "useful": BLUE,
    "padding": SKY,
    "wait_port": GREEN,
    "stream": "#66C2A4",
    "drain": YELLOW,
    "write_port": "#006D4F",
    "token": ORANGE,
    "issue": "#666666",
    "wait_frame": PINK,
    "wait_recurrence": RED,
    "wait_input": "#B8860B",
    "wait_weights": ORANGE,
    "wait_accumulator": PINK,
    "wait_operand": YELLOW,
    "wait_buffer": "#882255",
    "wait_issue": "#666666",
    "prologue": "#BBBBBB",
    "handover": "#CCCCCC",
    "epilogue": "#DDDDDD",
    "idle": "#F2F2F2",
}
"""What a cycle of a unit, or of the critical path, is -> its colour."""


def kind_colour(kind: str) -> str:
    """The colour of a kind of op; grey of one that is not known, as of a user's own units."""
    name = kind.rpartition(".")[2]
    first = name.replace("_", " ").partition(" ")[0]
    return _BY_NAME.get(name) or _BY_FIRST_WORD.get(first, OTHER)
