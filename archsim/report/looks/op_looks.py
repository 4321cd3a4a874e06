"""Gives every kind of op its colour, hatch and words: the same in every figure of every run.

Of one hatch, colours differ in lightness, so that they are told apart in grey.
"""

from __future__ import annotations

from archsim.program.labels import label_parts
from archsim.report.looks.named_look import NamedLook

MACS = NamedLook("MAC tile", "#009E73")
INPUT_MACS = NamedLook("MAC tile of x alone", "#009E73", "////")
PROJECTION = NamedLook("projection of h", "#009E73", "....")
LOAD = NamedLook("load", "#56B4E9")
STORE = NamedLook("store", "#E69F00", "////")
SIGMOID = NamedLook("sigmoid", "#F0E442")
TANH = NamedLook("tanh", "#0072B2", "xxxx")
FUNCTION = NamedLook("another function", "#F0E442", "xxxx")
CELL = NamedLook("update of c", "#D55E00", "----")
HIDDEN = NamedLook("update of h", "#CC79A7", "\\\\\\\\")
RESET = NamedLook("reset gate on h", "#E69F00", "....")
PEEPHOLE = NamedLook("peephole", "#56B4E9", "xxxx")
NORM = NamedLook("layer normalization", "#F0E442", "++++")
SHIFT = NamedLook("shift of weights", "#CC79A7", "||||")
MERGE = NamedLook("merge of directions", "#0072B2", "++++")
DRAIN = NamedLook("drain of sums", "#999999", "----")
IDLE = NamedLook("kept idle", "#F2F2F2")
OTHER = NamedLook("another op", "#999999", "++++")
MIXED = NamedLook("several short ops", "#222222")
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


def op_look(label: str) -> NamedLook:
    """The look of an op by its label; of a kind that is not known, as one of a user's own units, OTHER."""
    name = label_parts(label).name
    first = name.replace("_", " ").partition(" ")[0]
    return _BY_NAME.get(name) or _BY_FIRST_WORD.get(first, OTHER)
