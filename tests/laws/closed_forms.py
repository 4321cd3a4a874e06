"""How often a cell's numbers are read and written, counted from its equations and from the cut into tiles.

Written without the programs: everything follows from the cell's options, the rows of the array, and two rules. A tile
of the MAC array reads its weights once and its input vector once; every other op reads each operand once for each
hidden unit and batch lane.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from strategies import group_sets, is_wavefront

from archsim.workload import CellKind, CellSpec, NetworkSpec

Key = tuple[str, str, str]
"""memory, read or write, kind of data"""


@dataclass(frozen=True)
class Tiles:
    """Of one time step: tiles that read x, tiles that read h, ops of the MAC array; rows written to the accumulators
    and, of those, rows added onto what is there. Those of the projection are not among them."""

    x: int
    h: int
    ops: int
    rows: int
    added: int


def tiles(cell: CellSpec, schedule: str, rows: int) -> Tiles:
    """One GEMV of [x, h] where the schedule is fused and all rows of a group take both; else one of each."""
    x = h = ops = written = added = 0
    for total, with_x, with_h in (group for groups in group_sets(cell, schedule, rows) for group in groups):
        x_tiles, h_tiles = -(-with_x // rows), -(-with_h // rows)
        x, h = x + x_tiles, h + h_tiles
        written += total
        if schedule.startswith("fused") and total == with_x == with_h:
            ops += x_tiles
        else:
            ops += x_tiles + h_tiles
            written += with_h
            added += with_h
    return Tiles(x, h, ops, written, added)


def mac_ops(spec: NetworkSpec, schedule: str, rows: int) -> int:
    """Ops of the MAC array in a time step of all cells."""
    return sum(tiles(cell, schedule, rows).ops + -(-cell.proj_size // rows) for cell in spec.cells)


def traffic(spec: NetworkSpec, schedule: str, rows: int) -> dict[Key, int]:
    """Bytes of a whole run: 4 an element, and a bit for each sequence and question whether it is there."""
    elements: Counter[Key] = Counter()
    bits: Counter[Key] = Counter()
    wavefront = is_wavefront(schedule, spec)
    for number, layer in enumerate(spec.layers):
        for cell in layer:
            elements += _weights(cell, spec.steps)
            elements += _state(cell, schedule, rows, spec)
            elements += _sums(cell, schedule, rows, spec)
            last = number == len(spec.layers) - 1
            elements += _streams(cell, schedule, rows, spec, number, wavefront=wavefront, stored=last or not wavefront)
            if spec.lengths is not None:
                bits["sequencer", "read", "valid"] += _holds(cell, schedule, rows) * spec.steps * spec.batch
    found = {key: 4 * count for key, count in elements.items()} | {key: -(-n // 8) for key, n in bits.items()}
    return {key: size for key, size in found.items() if size}


def _weights(cell: CellSpec, steps: int) -> Counter[Key]:
    """Loaded once, read each step. A GRU that resets after the product has a fourth bias, b_hn beside b_in."""
    g, i, h, p = cell.kind.gates, cell.input_size, cell.hidden_size, cell.output_size
    apart = cell.kind is CellKind.GRU and cell.linear_before_reset
    sizes = {
        "W_ih": g * h * i,
        "W_hh": g * h * p,
        "W_hr": cell.proj_size * h,
        "bias": (g + apart) * h if cell.bias else 0,
        "peephole": 3 * h if cell.peepholes else 0,
    }
    found: Counter[Key] = Counter()
    for kind, size in sizes.items():
        found["dram", "read", kind] += size
        found["weight_sram", "write", kind] += size
        found["weight_sram", "read", kind] += steps * size
    return found


def _streams(
    cell: CellSpec, schedule: str, rows: int, spec: NetworkSpec, number: int, *, wavefront: bool, stored: bool
) -> Counter[Key]:
    """x, or what the layer before gave: from DRAM into the input buffer, or (wavefront) in the state buffer already."""
    times = spec.steps * spec.batch
    found: Counter[Key] = Counter()
    reads = tiles(cell, schedule, rows).x * cell.input_size * times
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


def _state(cell: CellSpec, schedule: str, rows: int, spec: NetworkSpec) -> Counter[Key]:
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
    each_step("read", "h", tiles(cell, schedule, rows).h * p + held * p)
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
            each_step("read", "h", -(-cell.proj_size // rows) * h)
    elif cell.kind is CellKind.GRU:
        each_step("read", "h", h)  # z * h
        kept = 4 if cell.linear_before_reset else 3  # r, z, n and, if kept apart, W_in x + r * (W_hn h)
        each_step("write", "gate", kept * h)
        each_step("read", "gate", kept * h)
        if not cell.linear_before_reset:  # r * h, which the tiles of n read in place of h
            each_step("read", "h", h)
            each_step("write", "h", h)
    return found


def _sums(cell: CellSpec, schedule: str, rows: int, spec: NetworkSpec) -> Counter[Key]:
    """Each tile writes its rows, and reads them first if it adds; peepholes add; all is read once by what follows."""
    of_step = tiles(cell, schedule, rows)
    apart = cell.kind is CellKind.GRU and cell.linear_before_reset
    peepholes = 3 * cell.hidden_size if cell.peepholes else 0
    finished = (cell.kind.gates + apart) * cell.hidden_size + cell.proj_size
    times = spec.steps * spec.batch
    return Counter(
        {
            ("accumulators", "write", "partial_sum"): (of_step.rows + peepholes + cell.proj_size) * times,
            ("accumulators", "read", "partial_sum"): (of_step.added + peepholes + finished) * times,
        }
    )


def _holds(cell: CellSpec, schedule: str, rows: int) -> int:
    """Ops of a step that ask which sequences are there: those that write c, and those that write h."""
    last = len(group_sets(cell, schedule, rows)[-1])  # groups in which the hidden units become complete
    if cell.kind is CellKind.LSTM:
        return last + (-(-cell.proj_size // rows) or last)
    return last
