"""Makes the ops of chains: one for each unit that a chain passes, chunk by chunk, and the cycles of units left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from archsim.families.npu.buffers import VECTOR
from archsim.families.npu.cells import NpuCell
from archsim.families.npu.chain_words import Idle
from archsim.families.npu.chains import At, Chain, Constant, Product, Register
from archsim.families.npu.config import NpuConfig
from archsim.families.npu.evrf import Evrf, Forward, Ones
from archsim.families.npu.loader import Deliver, Loader, WriteBack, WriteBackPath
from archsim.families.npu.mfu import Mfu0, Mfu1, Pass
from archsim.families.npu.mvu import MatVec, Mvu
from archsim.hardware.unit import ceil_div
from archsim.program.ir import Buffer, Op, Region
from archsim.workload.network import NetworkSpec

BEFORE_LOADER = (Mvu.name, Evrf.name, Mfu0.name, Mfu1.name)

X_WIRE = "x"
"""Where words of x go from the loader; chains' words have a place of their own, as no step but the last lacks them."""

PASSED = (*BEFORE_LOADER, Loader.name, X_WIRE)
"""Where words are passed on from one unit to the next: behind these units, and x behind the loader."""


@dataclass(slots=True)
class Fifos:
    """The slots of the FIFOs behind each unit, which the parts of vectors take in turn."""

    buffers: dict[str, Buffer]
    uses: dict[str, int]
    taken: dict[str, int]

    @classmethod
    def of_layer(cls, layer: Sequence[NpuCell], arch: NpuConfig, fifos: Sequence[Buffer]) -> Fifos:
        """The slots of the FIFOs of a layer's phase, the first one of each next."""
        return cls(dict(zip(PASSED, fifos, strict=True)), uses_of(layer, arch), dict.fromkeys(PASSED, 0))

    def next(self, unit: str, numbers: int) -> Region:
        """The next slot behind a unit."""
        place = self.taken[unit]
        self.taken[unit] += 1
        return Region(self.buffers[unit], 0, numbers, offset=place, stride=self.uses[unit])


def uses_of(layer: Sequence[NpuCell], arch: NpuConfig) -> dict[str, int]:
    """How many parts of vectors pass the FIFO behind each unit in a time step of a layer."""
    uses = dict.fromkeys(PASSED, 0)
    for cell in layer:
        chunks = len(arch.mvu.row_chunks(cell.spec.hidden_size))
        uses[X_WIRE] += 1
        for chain in (*cell.chains_of_x, *cell.chains_of_h):
            for unit in (*BEFORE_LOADER, Loader.name):
                uses[unit] += chunks if unit != Mvu.name or isinstance(chain.source, Product) else 0
    return uses


@dataclass(frozen=True, slots=True)
class ChainOps:
    """Makes the ops of one cell."""

    cell: NpuCell
    spec: NetworkSpec
    arch: NpuConfig
    slots: Fifos

    def load_ones(self) -> list[Op]:
        """The load of the constant 1 into its register, as wide as a vector, and the cycles it takes elsewhere.

        No number moves here: the register file gives the constant itself.
        """
        if self.cell.ones is None:
            return []
        label = f"{self.cell.prefix}load 1"
        words = max(self._real_words(self.cell.ones.entries), self.arch.least_words) * self._batch
        ops = [*self._idle(label, (Loader.name,), words), *self._idle(label, BEFORE_LOADER, 1)]
        return [replace(op, joined=place > 0) for place, op in enumerate(ops)]

    def load(self, ahead: int, *, first: bool = False) -> list[Op]:
        """The load of x for the step `ahead` of the body's (or the `first`), and the cycles it takes elsewhere."""
        x, source = self.cell.x, self.cell.source
        stride = 0 if first else 1
        label = f"{self.cell.prefix}load x" + ("_0" if first else f"[t{'-' if self.cell.spec.reverse else '+'}{ahead}]")
        words = self.slots.next(X_WIRE, x.entries)
        padding = (self._tile_words(x.entries) - self._real_words(x.entries)) * self._batch
        return [
            Deliver(
                unit=Loader.name,
                label=label,
                source=self._at_time(source, ahead, first=first),
                targets=(words,),
                padding=padding,
                skip_last=ahead,
            ),
            WriteBack(
                unit=WriteBackPath.name,
                label=label,
                source=words,
                targets=(_whole(x, ahead, stride),),
                padding=padding,
                skip_last=ahead,
                joined=True,
            ),
            *self._idle(label, BEFORE_LOADER, self.arch.mvu.tiles, skip_last=ahead),
        ]

    def chain(self, chain: Chain) -> list[Op]:
        """All ops of a chain, chunk by chunk, then the cycles of the units that it or a part of it leaves out."""
        ops: list[Op] = []
        to_tiles = any(target.memory == VECTOR for target in chain.targets)
        if to_tiles:  # the write into the tiles' registers takes instructions of its own, one a tile
            ops += self._idle(chain.label, (Loader.name,), 1)
        chunks = self.arch.mvu.row_chunks(self.cell.spec.hidden_size)
        for number, chunk in enumerate(chunks):
            suffix = f".{number}" if len(chunks) > 1 else ""
            ops += self._part(chain, chunk, suffix)
        if not isinstance(chain.source, Product):
            ops += self._idle(chain.label, (Mvu.name,), 1)
        if to_tiles:  # an instruction for each tile that gets words, and one that drops those left over
            hidden, tiles = self.cell.spec.hidden_size, self.arch.mvu.tiles
            words = ceil_div(max(self._real_words(hidden), self.arch.least_words), self._row_words(hidden))
            ops += self._idle(chain.label, BEFORE_LOADER, min(tiles + 1, words))
        return [replace(op, joined=place > 0) for place, op in enumerate(ops)]

    def _part(self, chain: Chain, chunk: tuple[int, int], suffix: str) -> Iterator[Op]:
        start, stop = chunk
        numbers = stop - start
        label = chain.label + suffix
        padding = max(0, self.arch.least_words - self._real_words(numbers))
        last = self._skip_last(chain)

        def at(buffer: Buffer) -> Region:
            return Region(buffer, start, stop)

        if isinstance(chain.source, Product):
            words = self.slots.next(Mvu.name, numbers)
            yield self._product(chain.source, chunk, words, label)
            row_blocks = ceil_div(numbers, self.arch.mvu.dpes)  # the last column block is padded, as the others are
            yield from self._idle(label, (Mvu.name,), max(0, self.arch.mvu.chunk_rows - row_blocks))
        behind = self.slots.next(Evrf.name, numbers)
        match chain.source:
            case Product():
                yield Forward(unit=Evrf.name, label=label, source=words, targets=(behind,))
            case Register(vector):
                # Of a vector that the chain writes where it reads it, the parts before are its own new ones.
                waited = Region(vector, start, vector.entries) if vector in chain.targets else _whole(vector)
                yield Forward(unit=Evrf.name, label=label, source=at(vector), targets=(behind,), vectors=(waited,))
            case Constant(like):
                yield Ones(unit=Evrf.name, label=label, source=at(like), targets=(behind,))
        yield from self._idle(label, (Evrf.name,), padding * self._batch, last)
        for unit, make in ((Mfu0.name, chain.mfu0), (Mfu1.name, chain.mfu1)):
            before, behind = behind, self.slots.next(unit, numbers)
            steps = make(at)
            whole = tuple(_whole(step.operand.buffer) for step in steps if step.operand is not None)
            yield Pass(unit=unit, label=label, source=before, targets=(behind,), vectors=whole, steps=steps)
            yield from self._idle(label, (unit,), padding * self._batch, last)
        written = padding
        if any(target.memory == VECTOR for target in chain.targets):  # what the tiles have no place for is dropped
            written = min(padding, max(0, self._tile_words(numbers) - self._real_words(numbers)))
        words = self.slots.next(Loader.name, numbers)
        yield Deliver(
            unit=Loader.name,
            label=label,
            source=behind,
            targets=(words, *self._to_host(chain, at)),
            padding=written * self._batch,
        )
        yield WriteBack(
            unit=WriteBackPath.name,
            label=label,
            source=words,
            targets=tuple(_next(at(target)) for target in chain.targets),
            padding=written * self._batch,
            skip_last=last,
        )
        yield from self._idle(label, (Loader.name,), (padding - written) * self._batch, last)

    def _skip_last(self, chain: Chain) -> int:
        """How many last steps leave out what only the step after needs: a run ends with its output."""
        return int(chain.output is self.cell.output and not self.spec.streaming)

    def _product(self, product: Product, chunk: tuple[int, int], words: Region, label: str) -> MatVec:
        start, stop = chunk
        bias = None
        if product.bias is not None:
            bias = Region(product.bias, product.bias_row + start, product.bias_row + stop)
        stride = 1 if (product.vector.slots or 1) > 1 else 0  # x, and h where a step writes it beside the old one
        return MatVec(
            unit=Mvu.name,
            label=label,
            weights=Region(product.matrix, product.first_row + start, product.first_row + stop),
            vector=_whole(product.vector, 0, stride),
            target=words,
            sums=Region(product.sums, start, stop),
            start=product.start,
            bias=bias,
        )

    def _to_host(self, chain: Chain, at: At) -> tuple[Region, ...]:
        """Where the host finds a part of a vector, if it gets it."""
        if chain.output is None:
            return ()
        if chain.output is not self.cell.output:
            return (at(chain.output),)
        part, first = at(self.cell.h), self.cell.output_start
        return (replace(self._at_time(chain.output, 0), start=first + part.start, stop=first + part.stop),)

    @property
    def _batch(self) -> int:
        """How many sequences a core has."""
        return ceil_div(self.spec.batch, self.arch.mvu.cores)

    def _real_words(self, numbers: int) -> int:
        return ceil_div(numbers, self.arch.words.elements)

    def _row_words(self, numbers: int) -> int:
        """How many words a vector has in each tile's registers."""
        return ceil_div(numbers, self.arch.mvu.columns)

    def _tile_words(self, numbers: int) -> int:
        """How many words a vector has in all tiles' registers, with padding."""
        return self.arch.mvu.tiles * self._row_words(numbers)

    def _idle(self, label: str, units: Sequence[str], cycles: int, skip_last: int = 0) -> list[Op]:
        if not cycles:
            return []
        return [
            Idle(unit=unit, label=f"idle[{label}]", cycles=cycles, skip_last=skip_last, joined=True) for unit in units
        ]

    def _at_time(self, buffer: Buffer, ahead: int, *, first: bool = False) -> Region:
        """The region of a tensor with a time axis at step r + ahead (or, `first`, at the cell's first step)."""
        reverse = self.cell.spec.reverse
        offset = self.spec.steps - 1 - ahead if reverse else ahead
        return _whole(buffer, offset, 0 if first else (-1 if reverse else 1))


def _whole(buffer: Buffer, offset: int = 0, stride: int = 0) -> Region:
    return Region(buffer, 0, buffer.entries, offset, stride)


def _next(region: Region) -> Region:
    """A region that a step writes: of a vector with two slots, that which the next step reads."""
    return region if region.buffer.slots == 1 else replace(region, offset=1, stride=1)
