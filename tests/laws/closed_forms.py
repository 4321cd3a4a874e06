"""How often a cell's numbers are read and written, counted from its equations and from the cut into tiles.

Written without the ops of programs: everything follows from the cell's options, the rows of the array, what of the
weights stays on the chip, and three rules. A tile of the MAC array reads its weights once and its input vector once (of
each time step, if it is one of several); weights that do not stay come from DRAM each time that their matrix is
multiplied; every other op reads each operand once for each hidden unit and batch lane.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from archsim.families.cells.streams import cell_prefixes
from archsim.families.schedules import find_schedule
from archsim.metrics.traffic import Traffic
from archsim.workload import CellKind, CellSpec, NetworkSpec
from archsim.workload.network import MergeMode
from tests.strategies import Case, group_sets, is_wavefront

Key = tuple[str, str, str]
"""memory, read or write, kind of data"""

MATRICES = ("W_ih", "W_hh", "W_hr")


@dataclass(frozen=True)
class Cut:
    """How a program divides the work: what its tiles are, and what of the weights stays.

    `rows` of the array; `tile_rows` of a tile, fewer where tiles are cut into parts; `passes`: how often the run
    multiplies with W_ih, which is once for each block of time steps; `pinned`: for each cell and matrix, elements that
    stay in the weight SRAM; `biases`: the memory of biases and peephole weights.
    """

    schedule: str
    rows: int
    tile_rows: int
    passes: int
    pinned: tuple[Mapping[str, int], ...]
    biases: str
    rows_ahead: Mapping[CellSpec, int]

    def tiles(self, rows: int) -> int:
        """Tiles of so many rows of a group or matrix."""
        return -(-rows // self.tile_rows)


def cut_of(case: Case) -> Cut:
    """From the sizes of the buffers in the weight SRAM: a slot holds a tile, or a part of one."""
    spec, schedule, rows = case.spec, case.schedule, case.config.mac_array.rows
    entries = {b.name: b.entries for b in case.program.buffers if b.memory == "weight_sram"}
    pinned, slots, tiles = [], [0], [0]
    for prefix, cell in zip(cell_prefixes(spec), spec.cells, strict=True):
        groups = [group for groups in group_sets(cell, schedule, rows) for group in groups]
        largest = (max(x for _, x, _ in groups), max(h for _, _, h in groups), cell.proj_size)
        widths = (cell.input_size, cell.output_size, cell.hidden_size)
        pinned.append({n: w * entries.get(prefix + n, 0) for n, w in zip(MATRICES, widths, strict=True)})
        for name, of_group in zip(MATRICES, largest, strict=True):
            if f"{prefix}stream.{name}" in entries:
                slots.append(entries[f"{prefix}stream.{name}"])
                tiles.append(min(rows, of_group))
    asked = case.config.state_buffer.hoist_steps
    block = 1 if "hoisted" not in schedule else spec.steps if asked is None else asked
    tile_rows = rows if max(slots) == max(tiles) else max(slots)
    biases = "weight_sram" if case.config.bias_buffer is None else "bias_buffer"
    ahead = find_schedule(schedule).split_rows(spec, case.config) or ()
    rows_ahead = {cell: len(found) for cell, found in zip(spec.cells, ahead, strict=False)}
    return Cut(schedule, rows, tile_rows, -(-spec.steps // block), tuple(pinned), biases, rows_ahead)


@dataclass(frozen=True)
class Tiles:
    """Of one time step: tiles that read x, tiles that read h, and those of them that read both; rows written to the
    accumulators and, of those, rows added onto what is there; rows of sums that wait in the state buffer. Those of the
    projection are not among them."""

    x: int
    h: int
    both: int
    rows: int
    added: int
    waiting: int


def tiles(cell: CellSpec, cut: Cut) -> Tiles:
    """One GEMV of [x, h] where the schedule is fused and all rows of a group take both; else one of each.

    Hoisted, the sums of W_ih x wait in the state buffer, and the tile of h begins with them. Ahead, the first groups
    are split and the others fused.
    """
    x = h = both = written = added = waiting = 0
    before, ahead = 0, cut.rows_ahead.get(cell, 0)
    for total, with_x, with_h in (group for groups in group_sets(cell, cut.schedule, cut.rows) for group in groups):
        x_tiles, h_tiles = cut.tiles(with_x), cut.tiles(with_h)
        x, h = x + x_tiles, h + h_tiles
        written += total
        x_rows, before = before, before + with_x
        if cut.schedule.startswith("hoisted"):
            waiting += total
        elif not cut.schedule.startswith("split") and x_rows >= ahead and total == with_x == with_h:
            both += x_tiles
        else:
            written += with_h
            added += with_h
    return Tiles(x, h, both, written, added, waiting)


def flat(traffic_bytes: Traffic) -> dict[Key, int]:
    """As it is stated, without the levels."""
    return {
        (memory, direction, kind): size
        for memory, directions in traffic_bytes.items()
        for direction, kinds in directions.items()
        for kind, size in kinds.items()
    }


def mac_ops(spec: NetworkSpec, cut: Cut) -> int:
    """Ops of the MAC array in a run."""
    count = 0
    for cell in spec.cells:
        found = tiles(cell, cut)
        count += cut.passes * found.x + spec.steps * (found.h - found.both + cut.tiles(cell.proj_size))
    return count


def traffic(spec: NetworkSpec, cut: Cut) -> dict[Key, int]:
    """Bytes of a whole run: 4 an element, and a bit for each sequence and question whether it is there."""
    elements: Counter[Key] = Counter()
    bits: Counter[Key] = Counter()
    wavefront = is_wavefront(cut.schedule, spec)
    pinned = iter(cut.pinned)
    for number, layer in enumerate(spec.layers):
        for cell in layer:
            elements += _weights(cell, cut, next(pinned), spec.steps)
            elements += _state(cell, cut, spec)
            elements += _sums(cell, cut, spec)
            last = number == len(spec.layers) - 1
            elements += _streams(cell, cut, spec, number, wavefront=wavefront, stored=last or not wavefront)
            if spec.lengths is not None:
                bits["sequencer", "read", "valid"] += _holds(cell, cut) * spec.steps * spec.batch
        if spec.merge_mode(number) is not MergeMode.CONCAT:
            elements += _merged(layer[0].output_size * spec.steps * spec.batch)
    found = {key: 4 * count for key, count in elements.items()} | {key: -(-n // 8) for key, n in bits.items()}
    return {key: size for key, size in found.items() if size}


def matrix_elements(cell: CellSpec) -> dict[str, int]:
    """Weights of each matrix."""
    rows = cell.kind.gates * cell.hidden_size
    sizes = rows * cell.input_size, rows * cell.output_size, cell.proj_size * cell.hidden_size
    return dict(zip(MATRICES, sizes, strict=True))


def _weights(cell: CellSpec, cut: Cut, pinned: Mapping[str, int], steps: int) -> Counter[Key]:
    """What stays is loaded once, the rest each time that the matrix is multiplied; all is read each such time.

    Biases and peephole weights stay, in the bias buffer if there is one. A GRU that resets after the product has a
    fourth bias, b_hn beside b_in.
    """
    h = cell.hidden_size
    apart = cell.kind is CellKind.GRU and cell.linear_before_reset
    biases = (cell.kind.gates + apart) * h if cell.bias else 0
    peepholes = 3 * h if cell.peepholes else 0
    found: Counter[Key] = Counter()

    def weights(memory: str, kind: str, size: int, held: int, passes: int) -> None:
        loaded = held + passes * (size - held)
        found["dram", "read", kind] += loaded
        found[memory, "write", kind] += loaded
        found[memory, "read", kind] += passes * size

    for kind, size in matrix_elements(cell).items():
        weights("weight_sram", kind, size, pinned.get(kind, 0), cut.passes if kind == "W_ih" else steps)
    weights(cut.biases, "bias", biases, biases, cut.passes)  # it comes in with W_ih x
    weights(cut.biases, "peephole", peepholes, peepholes, steps)
    return found


def _streams(
    cell: CellSpec, cut: Cut, spec: NetworkSpec, number: int, *, wavefront: bool, stored: bool
) -> Counter[Key]:
    """x, or what the layer before gave: from DRAM into the input buffer, or (wavefront) in the state buffer already."""
    times = spec.steps * spec.batch
    found: Counter[Key] = Counter()
    reads = tiles(cell, cut).x * cell.input_size * times
    if wavefront and number:
        found["state_buffer", "read", "h"] += reads
    else:
        found["dram", "read", "output" if number else "x"] += cell.input_size * times
        found["input_buffer", "write", "x"] += cell.input_size * times
        found["input_buffer", "read", "x"] += reads
    if stored:
        found["state_buffer", "read", "h"] += cell.output_size * times
        found["dram", "write", "output"] += cell.output_size * times
    return found


def _merged(values: int) -> Counter[Key]:
    """So many values of each direction come back from DRAM; of two one is made, and stored as the layer's output."""
    return Counter(
        {
            ("dram", "read", "output"): 2 * values,
            ("state_buffer", "write", "output"): 2 * values + values,
            ("state_buffer", "read", "output"): 2 * values + values,
            ("dram", "write", "output"): values,
        }
    )


def _state(cell: CellSpec, cut: Cut, spec: NetworkSpec) -> Counter[Key]:
    """h, c, the gates, and what stands between them."""
    h, p, times, held = cell.hidden_size, cell.output_size, spec.steps * spec.batch, spec.lengths is not None
    found: Counter[Key] = Counter()

    def each_step(direction: str, kind: str, count: int) -> None:
        found["state_buffer", direction, kind] += count * times

    # h_0 and each h_t are written; h is read by each tile, as h_n, and by lanes that hold.
    found["dram", "read", "h"] += p * spec.batch
    found["dram", "write", "h"] += p * spec.batch
    found["state_buffer", "write", "h"] += p * spec.batch
    found["state_buffer", "read", "h"] += p * spec.batch
    each_step("write", "h", p)
    each_step("read", "h", tiles(cell, cut).h * p + held * p)
    if cell.kind is CellKind.LSTM:
        found["dram", "read", "c"] += h * spec.batch
        found["dram", "write", "c"] += h * spec.batch
        found["state_buffer", "write", "c"] += h * spec.batch
        found["state_buffer", "read", "c"] += h * spec.batch
        each_step("write", "c", h)
        each_step("read", "c", h * (2 + 3 * cell.peepholes + held))  # f * c, tanh(c), p * c for i, f and o
        each_step("write", "gate", 5 * h)  # i, f, g, o and tanh(c)
        each_step("read", "gate", (4 if cell.input_forget else 5) * h)  # a coupled f is 1 - i
        if cell.proj_size:  # o * tanh(c), read whole by each tile of W_hr
            each_step("write", "h", h)
            each_step("read", "h", cut.tiles(cell.proj_size) * h)
    elif cell.kind is CellKind.GRU:
        each_step("read", "h", h)  # z * h
        kept = 4 if cell.linear_before_reset else 3  # r, z, n and, if kept apart, W_in x + r * (W_hn h)
        each_step("write", "gate", kept * h)
        each_step("read", "gate", kept * h)
        if not cell.linear_before_reset:  # r * h, which the tiles of n read in place of h
            each_step("read", "h", h)
            each_step("write", "h", h)
    return found


def _sums(cell: CellSpec, cut: Cut, spec: NetworkSpec) -> Counter[Key]:
    """Each tile writes its rows, and reads them first if it adds; peepholes add; all is read once by what follows.

    Sums that are made ahead are written once, and read once by the tile that begins with them.
    """
    of_step = tiles(cell, cut)
    apart = cell.kind is CellKind.GRU and cell.linear_before_reset
    peepholes = 3 * cell.hidden_size if cell.peepholes else 0
    finished = (cell.kind.gates + apart) * cell.hidden_size + cell.proj_size
    times = spec.steps * spec.batch
    return Counter(
        {
            ("state_buffer", "write", "partial_sum"): of_step.waiting * times,
            ("state_buffer", "read", "partial_sum"): of_step.waiting * times,
            ("accumulators", "write", "partial_sum"): (of_step.rows + peepholes + cell.proj_size) * times,
            ("accumulators", "read", "partial_sum"): (of_step.added + peepholes + finished) * times,
        }
    )


def _holds(cell: CellSpec, cut: Cut) -> int:
    """Ops of a step that ask which sequences are there: those that write c, and those that write h."""
    last = len(group_sets(cell, cut.schedule, cut.rows)[-1])  # groups in which the hidden units become complete
    if cell.kind is CellKind.LSTM:
        return last + (cut.tiles(cell.proj_size) or last)
    return last
