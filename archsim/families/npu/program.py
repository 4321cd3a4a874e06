"""Builds the program of a network on a machine of the family npu: chains in order, one layer after another.

An instruction names what every unit does to one vector; it is an op for each unit that takes part, issued together, and
a cycle in each unit that it leaves out. A product is walked in chunks of rows, and so are all ops of its chain, so that
the units behind take the words of one chunk while the next one is multiplied. Vectors are waited for as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from archsim.errors import ArchError, Fault, ScheduleError
from archsim.families.cells.streams import cell_prefixes
from archsim.families.npu.buffers import HOST, Registers, check_batch, check_registers, fifo, wire
from archsim.families.npu.cells import NPU_CELLS, NpuCell
from archsim.families.npu.chain_ops import BEFORE_LOADER, ChainOps, Fifos, uses_of
from archsim.families.npu.config import NpuConfig
from archsim.families.schedule import Schedule
from archsim.hardware.functions.method_registry import make_method
from archsim.program.builder import build_phase
from archsim.program.ir import Buffer, DataKind, Op, Phase, PhaseKind, Program
from archsim.workload.network import CellSpec, NetworkSpec

SLOT_STEPS = 2
"""A FIFO never holds parts of more than so many steps: x of no more than the next step is there."""


@dataclass(frozen=True, slots=True)
class NpuSchedule(Schedule[NpuConfig]):
    """The schedule of the published programs: x products of a step, load of the next x, then what needs h."""

    name: str = "chains"
    summary: str = "a vector instruction a chain, in order: x products of the step, load of the next x, then h"
    family: str = "npu"
    splits_sums: bool = True
    """W_ih x is a sum of its own."""
    interleaves_gates: bool = False
    """A group of rows is of one gate."""

    @property
    def streams(self) -> bool:
        """A frame goes through all layers in its turn."""
        return True

    def build(self, spec: NetworkSpec, config: NpuConfig) -> Program:
        """Build the program; CapacityError or ScheduleError if the machine cannot run it."""
        _refuse(spec, config)
        check_batch(spec, config)
        streams = list(_streams(spec, config))
        prefixes = iter(cell_prefixes(spec))
        layers: list[list[NpuCell]] = []
        for directions, (source, output) in zip(spec.layers, pairwise(streams), strict=True):
            layers.append(_layer(directions, config, spec.batch, prefixes, source, output))
        longest = _longest_chunk(spec, config)
        together = [[cell for layer in layers for cell in layer]] if spec.streaming else layers
        most = SLOT_STEPS * max(max(uses_of(cells, config).values()) for cells in together)
        fifos = [fifo(f"fifo.{unit}", config, longest, spec.batch, most) for unit in BEFORE_LOADER]
        fifos.append(wire("wire.chain", config, longest, spec.batch))
        fifos.append(wire("wire.x", config, max(cell.input_size for cell in spec.cells), spec.batch))
        registers = [buffer for layer in layers for cell in layer for buffer in cell.buffers]
        check_registers(registers, config)
        if spec.streaming:
            frames = build_phase("body", PhaseKind.BODY, _body(together[0], spec, config, fifos), spec.steps)
            return Program(self.name, (*streams, *fifos, *registers), (frames,))
        phases: list[Phase] = []
        for number, layer in enumerate(layers):
            suffix = f" of layer {number}" if len(layers) > 1 else ""
            kind = PhaseKind.HANDOVER if number else PhaseKind.BODY
            name = f"handover to layer {number}" if number else "body: first loads"
            phases.append(build_phase(name, kind, _first_loads(layer, spec, config, fifos), steps=0))
            phases.append(build_phase(f"body{suffix}", PhaseKind.BODY, _body(layer, spec, config, fifos), spec.steps))
        return Program(self.name, (*streams, *fifos, *registers), tuple(phases))


def _first_loads(layer: Sequence[NpuCell], spec: NetworkSpec, arch: NpuConfig, fifos: Sequence[Buffer]) -> list[Op]:
    """The ops that load what a layer's first step needs: the constant 1 of cells that have it, and x_0."""
    slots = Fifos.of_layer(layer, arch, fifos)
    makers = [ChainOps(cell, spec, arch, slots) for cell in layer]
    return [op for maker in makers for op in (*maker.load_ones(), *maker.load(0, first=True))]


def _body(layer: Sequence[NpuCell], spec: NetworkSpec, arch: NpuConfig, fifos: Sequence[Buffer]) -> list[Op]:
    """The ops of one time step of all cells of a layer; of a frame of all layers, each of which first loads its x."""
    slots = Fifos.of_layer(layer, arch, fifos)
    ops: list[Op] = []
    for cell in layer:
        maker = ChainOps(cell, spec, arch, slots)
        ops += maker.load(0) if spec.streaming else []
        ops += [op for chain in cell.chains_of_x for op in maker.chain(chain)]
        ops += [] if spec.streaming else maker.load(1)
        ops += [op for chain in cell.chains_of_h for op in maker.chain(chain)]
    return ops


def _layer(
    directions: Sequence[CellSpec], arch: NpuConfig, batch: int, prefixes: Iterator[str], source: Buffer, output: Buffer
) -> list[NpuCell]:
    """The cells of a layer, whose outputs lie side by side."""
    cells: list[NpuCell] = []
    for cell in directions:
        start = sum(other.spec.output_size for other in cells)
        cells.append(NPU_CELLS[cell.kind](Registers(cell, arch, batch, next(prefixes)), source, output, start))
    return cells


def _longest_chunk(spec: NetworkSpec, arch: NpuConfig) -> int:
    chunks = [chunk for cell in spec.cells for chunk in arch.mvu.row_chunks(cell.hidden_size)]
    return max(stop - start for start, stop in chunks)


def _streams(spec: NetworkSpec, arch: NpuConfig) -> Iterator[Buffer]:
    """The tensors with a time axis at the host: x, the layers' outputs in between, and the output."""
    formats, steps, batch = arch.formats, spec.steps, spec.batch
    x = Buffer(
        "dram.x", HOST, DataKind.X, spec.input_size, batch, formats.format("input"), None, steps, format_kind="input"
    )
    yield replace(x, is_input=True)
    for number, layer in enumerate(spec.layers):
        name = "dram.output" if number == len(spec.layers) - 1 else f"l{number}.dram.output"
        size = sum(cell.output_size for cell in layer)
        yield Buffer(
            name, HOST, DataKind.OUTPUT, size, batch, formats.format("hidden"), None, steps, format_kind="hidden"
        )


def _refuse(spec: NetworkSpec, arch: NpuConfig) -> None:
    """Raise ScheduleError for what no chain of this machine computes, ArchError for unknown functions."""
    wanted = {
        "a projection": any(cell.proj_size for cell in spec.cells),
        "peepholes": any(cell.peepholes for cell in spec.cells),
        "layer normalization": any(cell.layer_norm for cell in spec.cells),
        "coupled gates (input_forget)": any(cell.input_forget for cell in spec.cells),
        "sequences of different lengths": spec.lengths is not None,
        "streams in turn (streams)": spec.streams > 1,
        "linear layers": any(not cell.kind.recurrent for cell in spec.cells),
        "merged directions (merge_mode)": spec.merges,
    }
    missing = [name for name, needed in wanted.items() if needed]
    if missing:
        raise ScheduleError(f"--schedule chains: machines of the family npu have no chains for {', '.join(missing)}")
    functions = frozenset(function.name for cell in spec.cells for function in cell.functions)
    method = make_method(arch.mfu, arch.formats)
    wrong = method.unsupported(functions)
    if wrong:
        stands_for = " and ".join(sorted(method.functions))
        message = f"{arch.mfu.method} stands for {stands_for}; the workload needs {', '.join(wrong)}"
        raise ArchError((Fault("architecture", "mfu.method", message),))


NPU_SCHEDULES = (NpuSchedule(),)
