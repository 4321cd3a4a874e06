"""Puts cells together to a whole program: layers one after the other, or as a wavefront.

One after the other, a layer is a phase of its own: its body runs over all time steps, both directions side by side, and
its output goes through DRAM to the next layer. What only one layer uses lies where another layer's lies; weights that
do not fit side by side are loaded when their layer's turn comes. As a wavefront there is one body, in whose repetition
r layer l is at time r - l and takes the h that layer l - 1 has just written; the layers fill each other's recurrence
bubbles.

Of a stream of frames (`spec.streaming`) there is one body, too. One after the other, its repetition is a frame, which
goes through all layers; as a wavefront layer l is l frames behind. x_t is loaded in the repetition that begins with it,
as it was not there before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from archsim.errors import ScheduleError
from archsim.families.cells.context import CellContext
from archsim.families.cells.function_checks import check_functions
from archsim.families.cells.merge import Merging, stored_to
from archsim.families.cells.streams import prefixes, starts, streams, valid_steps
from archsim.families.gemv.blocks import Blocks, choose_blocks
from archsim.families.gemv.capacity import check_capacity, check_staying_sums, staying_sums, weights_fit
from archsim.families.gemv.cell import STATE, GemvCell
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.deltas.cell import layer_deltas
from archsim.families.gemv.matrices.placement import Placement
from archsim.families.gemv.matrices.residency import all_stay, place_weights
from archsim.families.gemv.matrices.streaming import first_loads, with_loads
from archsim.families.gemv.order import WorkOrder
from archsim.families.gemv.retiming import Retiming
from archsim.families.gemv.state_banks import check_write_ports
from archsim.program.builder import build_phase
from archsim.program.ir import Buffer, Op, Phase, PhaseKind, Program
from archsim.workload.network import NetworkSpec


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A program, and the cells that it is made of, in the order of the network's."""

    program: Program
    cells: tuple[GemvCell, ...]


def sequential(order: WorkOrder, spec: NetworkSpec, arch: GemvConfig) -> LaidOut:
    """The program that runs layers one after the other; CapacityError if something does not fit."""
    if spec.streaming:
        return _in_one_body(order, spec, arch, delay=0)
    check_functions(spec, arch.activation, arch.formats)
    if order.phases.in_blocks and any(not cell.kind.recurrent for cell in spec.cells):
        raise ScheduleError(
            f"--schedule {order.name}: a linear layer has no W_hh h that could begin with a W_ih x made ahead; take a "
            "fused, split or ahead schedule"
        )
    tensors, valid = streams(spec, arch.formats), valid_steps(spec)
    mergings = [Merging.of_layer(spec, number, output, STATE) for number, output in enumerate(tensors[1:])]
    context = _contexts_in_turn(spec, tensors, valid, mergings)

    def cells_with(placements: Sequence[Placement | None], blocks: Blocks | None) -> list[GemvCell]:
        found = zip(spec.cells, context, placements, layer_deltas(spec), strict=True)
        return [
            GemvCell(cell, arch, place, interleaved=order.interleaved, blocks=blocks, placement=held, layer=layer)
            for cell, place, held, layer in found
        ]

    cells = _placed(order, arch, spec.steps, len(context), cells_with)
    layers = [[cells.pop(0) for _ in layer] for layer in spec.layers]
    cells = [cell for layer in layers for cell in layer]
    for layer, of_layer in zip(layers, spec.layers, strict=True) if spec.skips else ():
        least = staying_sums(of_layer, spec.batch * spec.streams)
        check_staying_sums([cell.buffers.sums for cell in layer], least, arch)
    buffers = (*tensors, *([valid] if valid else []), *(buffer for cell in cells for buffer in cell.all_buffers))
    buffers += tuple(buffer for merging in mergings if merging for buffer in merging.buffers)
    phases = _in_turn(order, layers, mergings, all_weights_first=True)
    if not order.streamed and len(layers) > 1 and not weights_fit(buffers, phases, arch):
        phases = _in_turn(order, layers, mergings, all_weights_first=False)
    check_capacity(buffers, phases, arch, order.streamed_sibling)
    _check_ports(order, arch, phases)
    return LaidOut(Program(schedule=order.name, buffers=buffers, phases=tuple(phases)), tuple(cells))


def _contexts_in_turn(
    spec: NetworkSpec, tensors: Sequence[Buffer], valid: Buffer | None, mergings: Sequence[Merging | None]
) -> list[CellContext]:
    """Where each cell's input comes from and its output goes, if layers run one after the other."""
    context: list[CellContext] = []
    for number, (directions, (source, output)) in enumerate(zip(spec.layers, pairwise(tensors), strict=True)):
        target = stored_to(output, mergings[number])
        places = zip(prefixes(spec, number), starts(directions), strict=True)
        context += [
            CellContext(prefix, spec.steps, spec.batch, source, None, target, start, valid, len(directions))
            for prefix, start in places
        ]
    return context


def weights_stay(order: WorkOrder, spec: NetworkSpec, arch: GemvConfig) -> bool:
    """Whether all weights lie in the weight SRAM side by side, so that an order that streams has nothing to stream."""
    tensors = streams(spec, arch.formats)
    context = _contexts_in_turn(spec, tensors, valid_steps(spec), (None,) * len(spec.layers))
    cells = zip(spec.cells, context, strict=True)
    return all_stay([GemvCell(cell, arch, place, interleaved=order.interleaved) for cell, place in cells], arch)


def _in_turn(
    order: WorkOrder,
    layers: Sequence[Sequence[GemvCell]],
    mergings: Sequence[Merging | None],
    *,
    all_weights_first: bool,
) -> list[Phase]:
    """The phases of layers one after the other.

    Without `all_weights_first` those of each but the first layer are loaded when the layer before it is done, to where
    that one's were.
    """
    cells = [cell for layer in layers for cell in layer]
    prologue = _load_all(cells) if all_weights_first else _load_all(layers[0])
    if not all_weights_first:
        prologue += [op for layer in layers[1:] for cell in layer for op in cell.transfers.load_state()]
    prologue += [op for cell in layers[0] for op in _before_steps(order, cell)]
    phases = [build_phase("prologue", PhaseKind.PROLOGUE, prologue)]
    for number, layer in enumerate(layers):
        suffix = f" of layer {number}" if len(layers) > 1 else ""
        if number:
            handover = [] if all_weights_first else [op for cell in layer for op in cell.load_weights()]
            handover += [op for cell in layer for op in _before_steps(order, cell)]
            phases.append(build_phase(f"handover to layer {number}", PhaseKind.HANDOVER, handover))
        phases += [_marked(order, phase) for phase in order.phases.phases(layer, order.compute, suffix)]
        merging = mergings[number]
        if merging is not None:
            cell = layer[0]
            unit = cell.config.elementwise.state_unit
            phases.append(merging.phase(cell.context.steps, cell.transfers.unit, unit, suffix))
    return [*phases, _epilogue(cells)]


def _before_steps(order: WorkOrder, cell: GemvCell) -> list[Op]:
    """The loads of a cell's first inputs, and what its first step adds to."""
    return [*order.phases.first_inputs(cell), *order.phases.first_sums(cell)]


def _marked(order: WorkOrder, phase: Phase) -> Phase:
    """The phase, of a body with the end of every repetition if the order's steps need not be alike."""
    return replace(phase, marks_all=True) if order.phases.marks_all and phase.kind is PhaseKind.BODY else phase


def wavefront(order: WorkOrder, spec: NetworkSpec, arch: GemvConfig) -> LaidOut:
    """The program that runs layer l at step t beside layer l - 1 at step t + 1.

    ScheduleError if a layer does not run forward alone.
    """
    if len(spec.layers) == 1 and not spec.streaming:  # nothing to run beside
        return sequential(order, spec, arch)
    if any(len(layer) > 1 or layer[0].reverse for layer in spec.layers):
        raise ScheduleError(
            f"--schedule {order.name}: a wavefront needs layers that run forward only; a layer in reverse needs the "
            "whole output of the layer before it"
        )
    return _in_one_body(order, spec, arch, delay=1)


def _in_one_body(order: WorkOrder, spec: NetworkSpec, arch: GemvConfig, delay: int) -> LaidOut:
    """The program whose body has all layers, each `delay` time steps behind the one before it."""
    check_functions(spec, arch.activation, arch.formats)
    depth = len(spec.layers)
    first, *_, last = streams(spec, arch.formats)
    valid = valid_steps(spec)

    # Frame by frame each layer in its turn has all accumulators: all its sums begin with the h of the layer before,
    # which is there when that layer's last sums have been read; those of layer 0 with x, which is loaded behind the
    # store of the output before.
    sharers = depth if delay else 1

    def cells_with(placements: Sequence[Placement | None], blocks: Blocks | None) -> list[GemvCell]:
        cells: list[GemvCell] = []
        found = zip(spec.layers, placements, layer_deltas(spec), strict=True)
        for number, ((spec_of_cell,), held, layer) in enumerate(found):
            source = first if number == 0 else None
            target = last if number == depth - 1 else None
            before = cells[-1].buffers.h if cells else None
            prefix = prefixes(spec, number)[0]
            # A frame comes after the one before is out; a layer behind others gets its input with their h, early only
            # as a wavefront.
            early = not spec.streaming or bool(delay and number)
            streams = spec.streams
            context = CellContext(
                prefix, spec.steps, spec.batch, source, before, target, 0, valid, sharers, early, streams
            )
            cells.append(
                GemvCell(
                    spec_of_cell,
                    arch,
                    context,
                    interleaved=order.interleaved,
                    blocks=blocks,
                    placement=held,
                    layer=layer,
                )
            )
        return cells

    cells = _placed(order, arch, spec.steps, depth, cells_with)
    if spec.skips:
        least = staying_sums(spec.cells, spec.batch * spec.streams)
        check_staying_sums([cell.buffers.sums for cell in cells], least, arch)
    buffers = (first, last, *([valid] if valid else []), *(buffer for cell in cells for buffer in cell.all_buffers))
    prologue = _load_all(cells)
    transfers = cells[0].transfers
    prologue += [] if spec.streaming else transfers.load_first_inputs()
    prologue += [op for cell in cells for op in order.phases.first_sums(cell)]
    repeat = spec.steps + delay * (depth - 1)
    delayed = [Retiming(spec.steps, repeat, 1, -delay * number) for number in range(depth)]
    inputs = transfers.load_input() if spec.streaming else transfers.load_input_ahead()
    body = list(delayed[0].applied_to(inputs))
    for place, cell in zip(delayed, cells, strict=True):
        body += place.applied_to(with_loads(cell, order.compute(cell)))
    body += delayed[-1].applied_to(cells[-1].transfers.store_output())
    phases = (
        build_phase("prologue", PhaseKind.PROLOGUE, prologue),
        _marked(order, build_phase("body", PhaseKind.BODY, body, repeat, spec.steps)),
        _epilogue(cells),
    )
    check_capacity(buffers, phases, arch, order.streamed_sibling)
    if delay:  # in turn, only one layer writes at a time, whatever its unit
        _check_ports(order, arch, phases)
    return LaidOut(Program(schedule=order.name, buffers=buffers, phases=phases), tuple(cells))


def _check_ports(order: WorkOrder, arch: GemvConfig, phases: Sequence[Phase]) -> None:
    if arch.state_buffer.banks == "by_kind":
        check_write_ports(order.name, phases)


def _placed(
    order: WorkOrder,
    arch: GemvConfig,
    steps: int,
    count: int,
    cells_with: Callable[[Sequence[Placement | None], Blocks | None], list[GemvCell]],
) -> list[GemvCell]:
    """The cells with all weights in the weight SRAM; if the schedule streams and they do not fit, with some of them."""
    resident, blocks = (None,) * count, None
    if order.phases.in_blocks:
        at_one = cells_with(resident, Blocks(steps, 1))
        blocks = choose_blocks(arch, steps, [_in_blocks(cell) for cell in at_one])
    cells = cells_with(resident, blocks)
    if not order.streamed:
        return cells
    placements = place_weights(cells, arch)
    return cells if all(held is None for held in placements) else cells_with(placements, blocks)


def _in_blocks(cell: GemvCell) -> tuple[tuple[Buffer, ...], Buffer, Buffer]:
    """For each cell the buffers of the state buffer, x, and the sums that are made ahead."""
    assert cell.buffers.x is not None
    assert cell.weights.input_sums is not None
    state = tuple(buffer for buffer in cell.all_buffers if buffer.memory == STATE)
    return state, cell.buffers.x, cell.weights.input_sums


def _load_all(cells: Sequence[GemvCell]) -> list[Op]:
    """The loads of weights that stay, of the first streamed tiles, and of the initial states."""
    return [op for cell in cells for op in (*cell.load_weights(), *first_loads(cell), *cell.transfers.load_state())]


def _epilogue(cells: Sequence[GemvCell]) -> Phase:
    return build_phase("epilogue", PhaseKind.EPILOGUE, [op for cell in cells for op in cell.transfers.store_state()])
