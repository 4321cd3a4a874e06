"""Plans how a cell's rows are cut into groups, and how long what is made of a group is kept."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.families.cells.buffers import Storage
from archsim.families.cells.tiling import Group
from archsim.workload.network import CellSpec

DEFERRED_GROUPS = 2
"""What follows a group's state update is issued after the gates of the group that comes so many later.

Both use the activation unit, in order: were tanh(c) issued at once, the unit would stand still while the element-wise
unit computes c. Two groups' gates fill most of that gap in the presets (0, 1, 2 and 3 take 155, 98, 88 and 85 cycles a
step on edge_64x64 with silero_vad), and each costs a slot in the state buffer.
"""


@dataclass(frozen=True, slots=True)
class CellPlan:
    """The groups of a cell in the order in which they are multiplied.

    `interleaved`: whether a group holds rows of all gates of some hidden units, or of whole gates one after the other.
    `deferred_groups`: how many groups later deferred ops are issued. `storage`: room for gates and scratch.
    """

    spec: CellSpec
    interleaved: bool
    groups: tuple[Group, ...]
    deferred_groups: int
    storage: Storage
