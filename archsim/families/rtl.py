"""Defines what a family's RTL is made of, and what it is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archsim.errors import ArchsimError
from archsim.formats import Encoding
from archsim.formats.number import Array
from archsim.hardware.unit import Units
from archsim.program.ir import Program
from archsim.workload.network import NetworkSpec


class RtlError(ArchsimError):
    """Something about a machine, network or schedule of which there is no RTL, or a tool that is missing."""


@dataclass(frozen=True, slots=True)
class RtlSource:
    """Everything that RTL is made from: a program, its machine, its numbers.

    `encodings`: of all buffers, by name; `image`: what DRAM holds before the run, by the buffer's name.
    """

    name: str
    program: Program
    config: Any
    units: Units
    spec: NetworkSpec
    encodings: Mapping[str, Encoding]
    image: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class RtlOp:
    """An op of the program as the RTL numbers it: number `index` of phase `phase`."""

    phase: int
    index: int


@dataclass(frozen=True, slots=True)
class RtlDesign:
    """The RTL of a program on its machine.

    `files`: texts by name. `sources`: the names of the modules' files in the order of compilation; those of `bench` are
    the testbench's. `top`: the machine's module; `units`: the modules in it whose resources are of interest, with what
    they are shown as. `macro`: the module of memories, which synthesis leaves as it is; its parameters W (bits of a
    number), DEPTH (numbers), LW and LR (neighbours written and read a cycle) say how large each is. `line_macro`: the
    module of memories of lines with one read port, likewise, where a target has no block memories for them. `ops`: the
    program's ops as the RTL numbers them.
    """

    files: Mapping[str, str]
    sources: tuple[str, ...]
    bench: tuple[str, ...]
    top: str
    units: Mapping[str, str]
    macro: str
    line_macro: str
    ops: tuple[RtlOp | None, ...]
