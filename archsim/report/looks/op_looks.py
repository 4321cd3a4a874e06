"""Gives every kind of op its colour, hatch and words: the same in every figure of every run.

Of one hatch, colours differ in lightness, so that they are told apart in grey.
"""

from __future__ import annotations

from dataclasses import dataclass

from archsim.program.labels import label_parts


@dataclass(frozen=True, slots=True)
class OpLook:
    """The look of a group of kinds of op, and what a legend calls it."""

    words: str
    colour: str
    hatch: str = ""


MACS = OpLook("MAC tile", "#009E73")
INPUT_MACS = OpLook("MAC tile of x alone", "#009E73", "////")
PROJECTION = OpLook("projection of h", "#009E73", "....")
LOAD = OpLook("load", "#56B4E9")
STORE = OpLook("store", "#E69F00", "////")
SIGMOID = OpLook("sigmoid", "#F0E442")
TANH = OpLook("tanh", "#0072B2", "xxxx")
FUNCTION = OpLook("another function", "#F0E442", "xxxx")
CELL = OpLook("update of c", "#D55E00", "----")
HIDDEN = OpLook("update of h", "#CC79A7", "\\\\\\\\")
RESET = OpLook("reset gate on h", "#E69F00", "....")
PEEPHOLE = OpLook("peephole", "#56B4E9", "xxxx")
NORM = OpLook("layer normalization", "#F0E442", "++++")
SHIFT = OpLook("shift of weights", "#CC79A7", "||||")
MERGE = OpLook("merge of directions", "#0072B2", "++++")
DRAIN = OpLook("drain of sums", "#999999", "----")
IDLE = OpLook("kept idle", "#F2F2F2")
OTHER = OpLook("another op", "#999999", "++++")
MIXED = OpLook("several short ops", "#222222")
"""Merged ops of several kinds."""

_BY_NAME = {
    "mac": MACS,
    "mac_h": MACS,
    "mac_x": INPUT_MACS,
    "gemm_x": INPUT_MACS,
    "mac_r": PROJECTION,
    "project": PROJECTION,
    "cell": CELL,
    "hidden": HIDDEN,
    "reset": RESET,
    "merge": MERGE,
    "drain": DRAIN,
    "drain_r": DRAIN,
    "idle": IDLE,
    # the chains of vectors of the family npu, by the vector that each makes
    **dict.fromkeys(("x_i", "x_f", "x_g", "x_o", "x_r", "x_z", "x_n"), INPUT_MACS),
    **dict.fromkeys(("h_i", "h_f", "h_o", "ig", "r", "1-z", "n"), MACS),
    "c": CELL,
    "h": HIDDEN,
    "zh": HIDDEN,
}
_BY_FIRST_WORD = {
    "load": LOAD,
    "store": STORE,
    "shift": SHIFT,
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "peephole": PEEPHOLE,
    "norm": NORM,
    **dict.fromkeys(("relu", "leaky", "thresholded", "hard", "scaled", "affine", "elu"), FUNCTION),
    **dict.fromkeys(("softsign", "softplus"), FUNCTION),
}
"""Of names of several words, the rest of which says which: "load W_hh", "sigmoid_ifo"."""

LOOKS = (
    LOAD, STORE, SHIFT, MACS, INPUT_MACS, PROJECTION, DRAIN, SIGMOID, TANH, FUNCTION, RESET, PEEPHOLE, NORM, CELL,
    HIDDEN, MERGE, IDLE, OTHER,
)  # fmt: skip
"""All looks, in the order of legends."""


def op_look(label: str) -> OpLook:
    """The look of an op by its label; of a kind that is not known, as one of a user's own units, OTHER."""
    name = label_parts(label).name
    first = name.replace("_", " ").partition(" ")[0]
    return _BY_NAME.get(name) or _BY_FIRST_WORD.get(first, OTHER)
