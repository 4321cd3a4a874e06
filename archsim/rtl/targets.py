"""The targets of synthesis: how Yosys maps to each of them, and which of its cells are of which kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archsim.families.rtl import RtlError

GATES_SCRIPT = "abc.script"
"""The file with the commands by which ABC maps to gates."""

GATES_COMMANDS = ("strash", "dc2", "dretime", "strash", "&get -n", "&dch -f", "&nf", "&put")
"""Yosys' own commands for gates but for `&fraig -x`: it proves by SAT which nodes are equal, without a limit of effort.

On a multiplier of gates, as is in each converter, that does not come to an end.
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A target of Yosys: the command that maps to it, and which cells are of which kind, as patterns of their names.

    `stages`: labels in the command at which its steps begin, with what each step does. `ends`: the cells at which paths
    end, as Yosys selects them. `has_block_memories`: whether memories of lines become cells of the target; else they
    stay memories, whose bits are counted. `setup`: commands before the mapping.
    """

    command: str
    stages: Mapping[str, str]
    ends: str
    lut: str
    ff: str
    dsp: str
    bram: str
    lut_name: str = "LUT"
    has_block_memories: bool = True
    setup: tuple[str, ...] = ()


TARGETS: Mapping[str, Target] = {
    "xilinx": Target(
        "synth_xilinx -noiopad",
        {"begin": "operators", "map_ffs": "registers and look-up tables", "finalize": "last steps"},
        "t:FD* t:RAM* t:DSP48*",
        r"LUT\d|RAM\d+.*|SRL.*|INV",
        r"FD\w+",
        r"DSP48.*",
        r"RAMB\w+",
    ),
    "ecp5": Target(
        "synth_ecp5 -noflatten",
        {"begin": "operators", "map_ffs": "registers", "map_luts": "look-up tables", "map_cells": "last steps"},
        "t:TRELLIS_FF t:TRELLIS_DPR16X4 t:DP16KD",
        r"LUT4|CCU2C|TRELLIS_DPR16X4",
        r"TRELLIS_FF",
        r"MULT18X18D",
        r"DP16KD",
    ),
    "ice40": Target(
        "synth_ice40 -dsp -noflatten",
        {"begin": "operators", "map_ffs": "registers", "map_luts": "look-up tables", "map_cells": "last steps"},
        "t:SB_DFF* t:SB_RAM* t:SB_MAC16",
        r"SB_LUT4",
        r"SB_DFF\w*",
        r"SB_MAC16",
        r"SB_RAM40_4K\w*",
    ),
    "generic": Target(
        "synth",
        {"begin": "operators", "fine": "gates", "check": "last steps"},
        "t:$_*DFF*",
        r"\$_(?!\w*(DFF|DLATCH)).*_",
        r"\$_\w*DFF\w*_",
        r"\$mul",
        r"\$mem\w*",
        lut_name="gates",
        has_block_memories=False,
        setup=(f"scratchpad -set abc.script {GATES_SCRIPT}",),
    ),
}
"""Vendors' cells by their names in Yosys. `generic` counts gates as LUT; its multipliers are gates, too."""


def gates_script() -> str:
    """The text of the file `GATES_SCRIPT`."""
    return "\n".join(GATES_COMMANDS) + "\n"


def check_target(name: str) -> Target:
    """The target of that name; RtlError if there is none."""
    if name not in TARGETS:
        raise RtlError(f"--synth {name}: no such target; targets: {', '.join(TARGETS)}")
    return TARGETS[name]


def mapping_steps(target: Target, top: str) -> dict[str, tuple[str, ...]]:
    """The commands that map a design, by step."""
    labels = list(target.stages)
    steps = {}
    for number, label in enumerate(labels):
        until = labels[number + 1] if number + 1 < len(labels) else ""
        setup = target.setup if number == 0 else ()
        steps[target.stages[label]] = (*setup, f"{target.command} -top {top} -run {label}:{until}")
    return steps
