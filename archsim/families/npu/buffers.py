"""Makes the registers of one cell on a machine of the family npu, and checks whether all registers fit.

Every vector lies in the register file of the unit and stage that reads it. h lies in the vector registers of the
matrix-vector unit, filled with h_0 before the run, as weights, biases and c_0 fill theirs: nothing is loaded but x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archsim.errors import CapacityError
from archsim.families.npu.config import MFU0_ADD, MFU0_MULTIPLY, MFU1_ADD, MFU1_MULTIPLY, NpuConfig
from archsim.hardware.unit import ceil_div
from archsim.program.ir import WIDE, Buffer, DataKind
from archsim.workload.network import CellKind, CellSpec, NetworkSpec

MATRIX, BIAS, VECTOR, EVRF, FIFO, HOST = "mvu_mrf", "mvu_bias", "mvu_vrf", "evrf", "fifo", "host"
"""The memories beside the multi-function units'; `host` is where input vectors come from and outputs go to."""

X_SLOTS = 2
"""x of the step in work and of the one after it."""

PLACES = (VECTOR, EVRF, MFU0_ADD, MFU0_MULTIPLY, MFU1_ADD, MFU1_MULTIPLY)


@dataclass(frozen=True, slots=True)
class Registers:
    """Makes the buffers of one cell, named behind `prefix`."""

    spec: CellSpec
    config: NpuConfig
    batch: int
    prefix: str

    def matrix(self, name: str, kind: DataKind) -> Buffer:
        """The buffer of W_ih or W_hh, all gates, in torch's order of rows."""
        inputs = self.spec.input_size if kind is DataKind.W_IH else self.spec.output_size
        return Buffer(
            f"{self.prefix}{name}",
            MATRIX,
            kind,
            self.spec.rows,
            inputs,
            self.config.formats.format("weight"),
            is_input=True,
            format_kind="weight",
            tensor=f"{self.prefix}dram.{name}",
            matrix=True,
        )

    def bias(self) -> Buffer | None:
        """The buffer of biases, with which the accumulators begin.

        Behind it stands that of W_hn h, where a GRU keeps the candidate's parts apart.
        """
        apart = self.spec.kind is CellKind.GRU and self.spec.linear_before_reset
        rows = self.spec.rows + (self.spec.hidden_size if apart else 0)
        if not self.spec.bias:
            return None
        number_format = self.config.formats.format("accumulator")
        return Buffer(
            f"{self.prefix}bias",
            BIAS,
            DataKind.BIAS,
            rows,
            1,
            number_format,
            is_input=True,
            format_kind="accumulator",
            tensor=f"{self.prefix}dram.bias",
        )

    def x(self, source: Buffer) -> Buffer:
        """The buffer of x of two steps, as it comes."""
        return Buffer(
            f"{self.prefix}x",
            VECTOR,
            DataKind.X,
            source.entries,
            self.batch,
            source.number_format,
            X_SLOTS,
            format_kind=source.format_kind,
            encoding=source.encoding or source.name,
        )

    def state(self, name: str, place: str, first: str, slots: int = 1) -> Buffer:
        """The buffer of h or c, or of a copy under another name; `first`: its tensor before the run, h_0 or c_0.

        With two slots a step reads one and writes the other.
        """
        kind, held = (DataKind.H, "hidden") if first == "h_0" else (DataKind.C, "cell")
        return Buffer(
            f"{self.prefix}{name}",
            place,
            kind,
            self.spec.hidden_size,
            self.batch,
            self.config.formats.format(held),
            slots,
            is_input=True,
            format_kind=held,
            tensor=f"{self.prefix}dram.{first}",
            encoding=f"{self.prefix}{first}",
        )

    def vector(self, name: str, place: str, held: str, encoding: str) -> Buffer:
        """The buffer of an intermediate vector in a format of the architecture.

        It is encoded as the cell's buffer of that name.
        """
        kind = DataKind.PARTIAL_SUM if held == "gate" else DataKind.GATE if held == "activation" else DataKind.H
        return Buffer(
            f"{self.prefix}{name}",
            place,
            kind,
            self.spec.hidden_size,
            self.batch,
            self.config.formats.format(held),
            format_kind=held,
            encoding=f"{self.prefix}{encoding}",
        )

    def product(self, name: str, place: str) -> Buffer:
        """The buffer of a product that is to be added to another: as wide as it comes."""
        number_format = self.config.formats.format("accumulator")
        return Buffer(
            f"{self.prefix}{name}",
            place,
            DataKind.PARTIAL_SUM,
            self.spec.hidden_size,
            self.batch,
            number_format,
            format_kind=WIDE,
        )

    def last_c(self) -> Buffer:
        """The buffer where the host finds c_n."""
        number_format = self.config.formats.format("cell")
        return Buffer(
            f"{self.prefix}dram.c_n",
            HOST,
            DataKind.C,
            self.spec.hidden_size,
            self.batch,
            number_format,
            format_kind="cell",
        )


def fifo(name: str, config: NpuConfig, elements: int, batch: int, most: int) -> Buffer:
    """The buffer of a FIFO between two units, in which a part of a vector has a slot.

    A part has up to `elements` numbers; there are at most `most` slots. CapacityError if the FIFO cannot hold a part.
    """
    words = max(ceil_div(elements, config.words.elements), config.least_words)
    need, have = words * ceil_div(batch, config.mvu.cores), config.fifos.depth_words
    if need > have:
        raise CapacityError("fifos", need, have, "words", "a chunk of rows", ("more fifos.depth_words",))
    number_format, slots = config.formats.format("accumulator"), min(have // need, most)
    return Buffer(name, FIFO, DataKind.STREAM, elements, batch, number_format, slots, format_kind=WIDE, stream=True)


def wire(name: str, config: NpuConfig, elements: int, batch: int) -> Buffer:
    """The buffer of words on their way from the loader to the write-back, which never waits: two slots for parts."""
    number_format = config.formats.format("accumulator")
    return Buffer(name, FIFO, DataKind.STREAM, elements, batch, number_format, 2, format_kind=WIDE, stream=True)


def check_batch(spec: NetworkSpec, config: NpuConfig) -> None:
    """Raise CapacityError if the batch is larger than what one pass works on."""
    have = config.mvu.batch
    if spec.batch > have:
        needed_for = f"the batch; {config.mvu.cores} cores x {config.mvu.dot_units} dot units work at a time"
        raise CapacityError(
            "mvu", spec.batch, have, "sequences", needed_for, ("a smaller batch", "more mvu.cores or mvu.dot_units")
        )


def check_registers(buffers: Sequence[Buffer], config: NpuConfig) -> None:
    """Raise CapacityError for the first register file that cannot hold its vectors or matrices."""
    mvu = config.mvu
    blocks = [(b, ceil_div(b.width, mvu.columns)) for b in buffers if b.memory == MATRIX]
    gates = {b.name: _row_blocks(b, buffers, config) for b, _ in blocks}
    _check(
        "mvu.matrix_depth_words",
        [(b.name, gates[b.name] * columns) for b, columns in blocks],
        mvu.matrix_depth_words,
        ("more mvu.matrix_depth_words", "more mvu.tiles or mvu.dpes", "a smaller model"),
    )
    depth = {VECTOR: mvu.vector_depth_words, EVRF: config.evrf.depth_words}
    field = {VECTOR: "mvu.vector_depth_words", EVRF: "evrf.depth_words"}
    for place in PLACES:
        held = [(b.name, _words(b, config)) for b in buffers if b.memory == place]
        name = field.get(place, "mfu.depth_words")
        knobs = (f"more {name}", "a smaller batch or hidden_size")
        _check(f"{place} ({name})", held, depth.get(place, config.mfu.depth_words), knobs)


def _row_blocks(matrix: Buffer, buffers: Sequence[Buffer], config: NpuConfig) -> int:
    """How many row blocks all gates have: each gate begins a block, and has at least those of a chunk."""
    prefix = matrix.name.removesuffix("W_ih").removesuffix("W_hh")
    hidden = next(b.entries for b in buffers if b.name == f"{prefix}h")
    return matrix.entries // hidden * max(ceil_div(hidden, config.mvu.dpes), config.mvu.chunk_rows)


def _words(buffer: Buffer, config: NpuConfig) -> int:
    """How many words a vector takes in a register file of a core, or of each of its tiles."""
    assert buffer.slots is not None
    words = ceil_div(buffer.entries, config.mvu.columns)
    if buffer.memory != VECTOR:
        words = max(ceil_div(buffer.entries, config.words.elements), config.least_words)
    return words * ceil_div(buffer.width, config.mvu.cores) * buffer.slots


def _check(memory: str, held: list[tuple[str, int]], have: int, knobs: tuple[str, ...]) -> None:
    need = sum(words for _, words in held)
    if need > have:
        raise CapacityError(memory, need, have, "words", " + ".join(f"{name} {words:,}" for name, words in held), knobs)
