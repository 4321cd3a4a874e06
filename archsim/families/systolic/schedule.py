"""Defines the schedule `weight_stationary`: every step all weights stream through a systolic array.

Layers run one after the other, each over all steps, or, of a stream, all of them in each frame; both directions of a
layer stand in one body and share the stream of tiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from archsim.errors import CapacityError, ScheduleError
from archsim.families.cells.context import CellContext
from archsim.families.cells.function_checks import check_functions
from archsim.families.cells.merge import Merging, stored_to
from archsim.families.cells.streams import prefixes, starts, streams, valid_steps
from archsim.families.schedule import Schedule
from archsim.families.systolic.cell import MEMORIES, SystolicCell
from archsim.families.systolic.config import SystolicConfig
from archsim.families.systolic.host_link import HostLink
from archsim.families.systolic.tiles import TileStream
from archsim.program.builder import build_phase
from archsim.program.ir import Buffer, DataKind, Op, Phase, PhaseKind, Program
from archsim.workload.network import NetworkSpec

ARRAY_TILES = 2
"""Tiles that the array holds: one that vectors pass, and one that is shifted in."""


@dataclass(frozen=True, slots=True)
class WeightStationary(Schedule[SystolicConfig]):
    """The schedule of the family systolic."""

    name: str = "weight_stationary"
    summary: str = "tiles of weights stream from DRAM through the array every step, gate by gate, W_ih before W_hh"
    family: str = "systolic"
    splits_sums: bool = True
    """W_ih x is a sum of its own."""
    interleaves_gates: bool = False
    """A group of rows is of one gate."""

    @property
    def streams(self) -> bool:
        """A frame goes through all layers in its turn."""
        return True

    def build(self, spec: NetworkSpec, config: SystolicConfig) -> Program:
        """Build the program; CapacityError if the model's states or sums do not fit into the machine."""
        if any(cell.layer_norm for cell in spec.cells):
            raise ScheduleError(f"--schedule {self.name}: machines of the family systolic have no layer normalization")
        check_functions(spec, config.activation, config.formats)
        if any(not cell.kind.recurrent for cell in spec.cells):
            raise ScheduleError(f"--schedule {self.name}: machines of the family systolic take no linear layers yet")
        outside = [replace(buffer, memory=MEMORIES.outside) for buffer in streams(spec, config.formats)]
        valid = valid_steps(spec)
        mergings = [Merging.of_layer(spec, number, output, MEMORIES.state) for number, output in enumerate(outside[1:])]
        if spec.streaming:
            layers = _layers_of_a_frame(spec, config, outside[0], outside[-1])
            outside = [outside[0], outside[-1]]
        else:
            layers = _layers_in_turn(spec, config, outside, valid, mergings)
        fifo, registers = _tile_buffers(config)
        cells = [cell for layer in layers for cell in layer]
        buffers = (*outside, *([valid] if valid else []), fifo, registers)
        buffers += tuple(buffer for cell in cells for buffer in cell.all_buffers())
        buffers += tuple(buffer for merging in mergings if merging for buffer in merging.buffers)
        _check_capacity(buffers, config)
        prologue = [op for cell in cells for op in cell.load_constants()]
        prologue += [op for cell in cells for op in cell.transfers.load_state()]
        if not spec.streaming:
            prologue += [op for cell in layers[0] for op in cell.transfers.load_first_inputs()]
        phases = [build_phase("prologue", PhaseKind.PROLOGUE, prologue)]
        if spec.streaming:
            phases += _frames(cells, fifo, registers)
        else:
            unit = config.elementwise.state_unit
            merges = [_merge_phases(merging, spec, unit, number) for number, merging in enumerate(mergings)]
            phases += _bodies(layers, merges, spec.steps, fifo, registers)
        last = [op for cell in cells for op in cell.transfers.store_state()]
        phases.append(build_phase("epilogue", PhaseKind.EPILOGUE, last))
        return Program(schedule=self.name, buffers=buffers, phases=tuple(phases))


SYSTOLIC_SCHEDULES = (WeightStationary(),)
"""All schedules of the family systolic."""


def _layers_in_turn(
    spec: NetworkSpec,
    config: SystolicConfig,
    outside: Sequence[Buffer],
    valid: Buffer | None,
    mergings: Sequence[Merging | None],
) -> list[list[SystolicCell]]:
    """The cells of layers one after the other, with a tensor outside between them."""
    layers: list[list[SystolicCell]] = []
    for number, (directions, (source, output)) in enumerate(zip(spec.layers, pairwise(outside), strict=True)):
        target = stored_to(output, mergings[number])
        layers.append([])
        for cell, prefix, start in zip(directions, prefixes(spec, number), starts(directions), strict=True):
            sharers = len(directions)
            context = CellContext(prefix, spec.steps, spec.batch, source, None, target, start, valid, sharers)
            layers[-1].append(SystolicCell(cell, config, context))
    return layers


def _layers_of_a_frame(
    spec: NetworkSpec, config: SystolicConfig, first: Buffer, last: Buffer
) -> list[list[SystolicCell]]:
    """The cells of layers that a frame goes through, each of which reads the h that the one before has just written.

    Each has all accumulators: its sums begin with that h, which is complete when the last sums before have been read.
    """
    layers: list[list[SystolicCell]] = []
    before: Buffer | None = None
    for number, (cell,) in enumerate(spec.layers):
        prefix = prefixes(spec, number)[0]
        target = last if number == len(spec.layers) - 1 else None
        source = None if number else first
        context = CellContext(prefix, spec.steps, spec.batch, source, before, target, 0, None, 1, streams=spec.streams)
        layers.append([SystolicCell(cell, config, context)])
        before = layers[-1][0].buffers.h
    return layers


def _merge_phases(merging: Merging | None, spec: NetworkSpec, unit: str, number: int) -> list[Phase]:
    """The phase that merges a layer's directions, if they are merged."""
    suffix = f" of layer {number}" if len(spec.layers) > 1 else ""
    return [] if merging is None else [merging.phase(spec.steps, HostLink.name, unit, suffix)]


def _bodies(
    layers: Sequence[list[SystolicCell]],
    merges: Sequence[list[Phase]],
    steps: int,
    fifo: Buffer,
    registers: Buffer,
) -> list[Phase]:
    """The phases of layers one after the other, each with what merges its directions behind it."""
    phases: list[Phase] = []
    for number, layer in enumerate(layers):
        own = [cell.transfers for cell in layer]
        if number:
            handover = [op for host in own for op in host.load_first_inputs()]
            phases.append(build_phase(f"handover to layer {number}", PhaseKind.HANDOVER, handover))
        body = [op for host in own for op in host.load_input_ahead()]
        body += _streamed(layer, fifo, registers)
        body += [op for host in own for op in host.store_output()]
        suffix = f" of layer {number}" if len(layers) > 1 else ""
        phases.append(build_phase(f"body{suffix}", PhaseKind.BODY, body, repeat=steps))
        phases += merges[number]
    return phases


def _frames(cells: list[SystolicCell], fifo: Buffer, registers: Buffer) -> list[Phase]:
    """The body whose repetition is a frame: the load of x_t, all layers, and the store of y_t."""
    body = [*cells[0].transfers.load_input(), *_streamed(cells, fifo, registers)]
    body += cells[-1].transfers.store_output()
    return [build_phase("body", PhaseKind.BODY, body, repeat=cells[0].context.steps)]


def _streamed(layer: list[SystolicCell], fifo: Buffer, registers: Buffer) -> list[Op]:
    """The ops of one time step of the cells of a layer, one cell after the other."""
    tiles = sum(len(cell.tiles) for cell in layer)
    ops: list[Op] = []
    first = 0
    for cell in layer:
        ops += cell.step_ops(TileStream(fifo, registers, first, tiles))
        first += len(cell.tiles)
    return ops


def _tile_buffers(arch: SystolicConfig) -> tuple[Buffer, Buffer]:
    """The buffers of the FIFO and of the array's registers."""
    array, weight = arch.systolic_array, arch.formats.format("weight")

    def tiles(name: str, memory: str, slots: int) -> Buffer:
        kind = DataKind.WEIGHT_TILE
        return Buffer(name, memory, kind, array.columns, array.rows, weight, slots, format_kind="weight", matrix=True)

    fifo = tiles("weight_fifo", "weight_fifo", arch.weight_fifo.tiles)
    return fifo, tiles("array_weights", "array_weights", ARRAY_TILES)


def _check_capacity(buffers: tuple[Buffer, ...], arch: SystolicConfig) -> None:
    """Raise CapacityError if the unified buffer cannot hold what is in it."""
    held = [buffer for buffer in buffers if buffer.memory == "unified_buffer"]
    need, have = sum(buffer.size_bytes for buffer in held), arch.unified_buffer.capacity_bytes
    if need > have:
        parts = " + ".join(f"{buffer.name} {buffer.size_bytes:,}" for buffer in held)
        knobs = ("more unified_buffer.capacity_bytes", "a smaller batch or hidden_size")
        raise CapacityError("unified_buffer", need, have, "bytes", parts, knobs)
