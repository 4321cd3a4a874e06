"""The longest chain from one time step to the next, as in chain.py, for many designs at once."""

from __future__ import annotations

import numpy as np

from archsim.engines.recurrence.chain import ChainGroups, ChainTables
from archsim.engines.recurrence.compiled import compiled, inlined
from archsim.engines.recurrence.lane_arrays import LANES, LaneServices, LaneTiming, load_services
from archsim.engines.recurrence.phase_arrays import Ints, PhaseArrays
from archsim.program.codes import DONE_CODE, FIRST_CODE


def longest_chains(tables: ChainTables, timing: LaneTiming) -> Ints:
    """The cycles a time step of each design's longest chain (N), times the tables' denominator; 0 if none closes."""
    designs, ops, units = timing.row.shape[1], len(tables.arrays.unit), len(tables.arrays.instances)
    lengths = np.full((len(tables.weights), designs), -1, np.int64)
    if tables.weights:
        scratch = np.empty((ops + 1, LANES), np.int64)
        services, before = LaneServices.empty(len(timing.shape_unit)), np.empty(units, np.int64)
        chain_lanes(tables.arrays, timing, tables.groups, services, scratch, before, lengths)
    weights = np.array(tables.weights, np.int64).reshape(-1, 1)
    found: Ints = np.max(np.where(lengths < 0, 0, lengths * weights), axis=0, initial=0)
    return found


@compiled
def chain_lanes(
    arrays: PhaseArrays,
    timing: LaneTiming,
    groups: ChainGroups,
    services: LaneServices,
    scratch: Ints,
    before: Ints,
    lengths: Ints,
) -> None:
    """Write to `lengths` (G, N), which hold -1, what `chain_lengths` finds for each design.

    Which ops are on a way is the same for all. `services`, `scratch` (n + 1, LANES) and `before` (U) may hold anything.
    """
    for first in range(0, lengths.shape[1], LANES):
        load_services(timing, services, first)
        for g in range(len(lengths)):
            _longest_of_group(arrays, timing, groups, services, scratch, before, lengths, g, first)


@inlined
def _longest_of_group(
    arrays: PhaseArrays,
    timing: LaneTiming,
    groups: ChainGroups,
    services: LaneServices,
    scratch: Ints,
    before: Ints,
    lengths: Ints,
    g: int,
    first: int,
) -> None:
    before[:] = -1
    latency = timing.token_latency_cycles[first // LANES]
    start = scratch[len(arrays.unit)]
    for k in range(len(arrays.unit)):
        scratch[k, 0] = -1
        if arrays.skip_first[k] > groups.skip_first[g] or arrays.skip_last[k] > groups.skip_last[g]:
            continue
        follows = groups.begins[g, k]
        for lane in range(LANES):
            start[lane] = 0
        for d in range(arrays.first_dep[k], arrays.first_dep[k + 1]):
            other = arrays.dep_op[d]
            if arrays.dep_lag[d] == 0 and scratch[other, 0] >= 0:
                follows = True
                s = timing.shape[other]
                if arrays.dep_after[d] == FIRST_CODE:
                    for lane in range(LANES):
                        start[lane] = max(start[lane], scratch[other, lane] + services.first_word[s, lane])
                else:
                    whole = 1 if arrays.dep_after[d] == DONE_CODE else 0
                    for lane in range(LANES):
                        until = services.occupancy[s, lane] + whole * services.depth[s, lane] + latency
                        start[lane] = max(start[lane], scratch[other, lane] + until)
        other = before[arrays.unit[k]]
        if other >= 0:
            follows, s = True, timing.shape[other]
            for lane in range(LANES):
                start[lane] = max(start[lane], scratch[other, lane] + services.occupancy[s, lane])
        if follows:
            before[arrays.unit[k]] = k
            s = timing.shape[k]
            for lane in range(LANES):
                scratch[k, lane] = start[lane]
            if groups.ends[g, k]:
                for lane in range(LANES):
                    done = start[lane] + services.occupancy[s, lane] + services.depth[s, lane] + latency
                    lengths[g, first + lane] = max(lengths[g, first + lane], done)
