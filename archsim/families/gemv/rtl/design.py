"""Makes the RTL of a program on its machine: the generated package, the contents of all ROMs, the modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files

import numpy as np

from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.rtl.constants import CREDIT_BITS, UNITS, Parts, bits_below, constants
from archsim.families.gemv.rtl.encode import Encoded, Encoder
from archsim.families.gemv.rtl.formats import format_constants
from archsim.families.gemv.rtl.functions import Functions
from archsim.families.gemv.rtl.memories import Memory, map_vectors
from archsim.families.gemv.rtl.op_words import WordSizes, op_words, pointer_word, region_word, tag_words
from archsim.families.gemv.rtl.scope import check_scope
from archsim.families.gemv.rtl.tokens import Edge, Segment, edges, segments
from archsim.families.gemv.rtl.weights import bias_lines, weight_lines
from archsim.families.gemv.rtl.words import Word, hex_lines, joined
from archsim.families.rtl import RtlDesign, RtlOp, RtlSource
from archsim.formats.number import Array
from archsim.hardware.dram.simple import SimpleDramConfig
from archsim.hardware.numerics import Numerics
from archsim.program.ir import Op
from archsim.workload.network import CellKind

SOURCES = (
    "archsim_pkg.sv",
    # Modules that know parameters alone: before those that import the package.
    "delay.sv",
    "vec_mem.sv",
    "line_mem.sv",
    "scale_round.sv",
    "narrow.sv",
    "mac_rows.sv",
    "pointer.sv",
    "unit_shell.sv",
    "credits.sv",
    "sequencer.sv",
    "mac_array.sv",
    "table_lane.sv",
    "lines_lane.sv",
    "activation_lane.sv",
    "activation.sv",
    "elementwise_lane.sv",
    "elementwise.sv",
    "dma.sv",
    "accelerator.sv",
)
"""The files of the machine itself, in the order of compilation."""

BENCH = ("dram_model.sv", "testbench.sv")
"""The files of the testbench, behind those of the machine."""

TOP = "accelerator"

RESOURCES = {
    "mac_array": "mac_array",
    "activation": "activation",
    "elementwise": "elementwise",
    "dma": "dram",
    "vec_mem": "memories",
    "line_mem": "weights",
    "pointer": "pointers",
    "unit_shell": "queues",
    "credits": "tokens",
    "sequencer": "sequencer",
}
"""The modules in the machine whose resources are shown on their own, and what they are shown as."""

MACRO = "vec_mem"
"""The module that synthesis takes as it is: a chip has memories of its technology for it."""

LINE_MACRO = "line_mem"
"""The module of the weight SRAM: block memories where a target has them."""

_PLENTY = 1000


def make_rtl(source: RtlSource) -> RtlDesign:
    """Make the RTL of a program; RtlError names what there is none of."""
    check_scope(source)
    return _Maker(source).design()


class _Maker:
    def __init__(self, source: RtlSource) -> None:
        self._source = source
        config: GemvConfig = source.config
        assert isinstance(config.dram, SimpleDramConfig)  # of others there is no RTL, as check_scope says
        self._config, self._dram, self._program = config, config.dram, source.program
        array = config.mac_array
        tiles = [op for phase in self._program.phases for op in phase.ops if isinstance(op, MacTile)]
        self._batch = tiles[0].sums.buffer.width
        self._sum_rows = max(array.rows, *(tile.sums.entries for tile in tiles))
        image = {name: np.asarray(values).astype(np.int64) for name, values in source.image.items()}
        one = config.formats.one_accumulation
        self._vectors = map_vectors(self._program, source.spec.steps)
        self._image = image
        self._encoder = Encoder(
            config,
            source.units,
            Numerics(source.encodings),
            self._vectors,
            weight_lines(self._program, image, array.rows, array.columns, one),
            bias_lines(self._program, image, self._sum_rows),
            Functions(config),
            self._sum_rows,
        )
        self._ops: dict[str, list[tuple[RtlOp, Encoded]]] = {unit: [] for unit in UNITS}
        for number, phase in enumerate(self._program.phases):
            for index, op in enumerate(phase.ops):
                encoded = self._encoder.encode(op)
                self._ops[encoded.unit].append((RtlOp(number, index), encoded))
        # A unit without ops keeps room for one, which is never issued.
        self._first = {unit: sum(max(1, len(self._ops[u])) for u in UNITS[:n]) for n, unit in enumerate(UNITS)}
        self._number = {
            (place.phase, place.index): self._first[unit] + n
            for unit in UNITS
            for n, (place, _) in enumerate(self._ops[unit])
        }

    def design(self) -> RtlDesign:
        found_segments = segments(self._program)
        found_edges = edges(self._program, self._number) or [Edge(0, 0, True, _PLENTY)]
        sizes = self._sizes()
        words = op_words(sizes)
        values = constants(self._parts(sizes, found_segments, found_edges))
        package = _package(self._source.name, values, sizes, found_edges)
        contents = dict(self._roms(sizes, words, found_segments)) | dict(self._data(values))
        folder = files(__package__) / "sv"
        modules = {
            name: (folder / name).read_text(encoding="utf-8")
            for name in (*SOURCES[1:], *BENCH, "main.cpp", "README.md")
        }
        ops = self._numbered()
        return RtlDesign(
            files={"archsim_pkg.sv": package, **modules, **contents},
            sources=(*SOURCES, *BENCH),
            bench=BENCH,
            top=TOP,
            units=RESOURCES,
            macro=MACRO,
            line_macro=LINE_MACRO,
            ops=ops,
        )

    def _numbered(self) -> tuple[RtlOp | None, ...]:
        found = {number: RtlOp(*place) for place, number in self._number.items()}
        return tuple(found.get(number) for number in range(self._first["ew"] + self._count("ew")))

    def _count(self, unit: str) -> int:
        return max(1, len(self._ops[unit]))

    def _sizes(self) -> WordSizes:
        most = max(
            max(encoded.values.get(name, 0) for name in ("occupancy", "items", "beats", "values", "x_inputs"))
            for ops in self._ops.values()
            for _, encoded in ops
        )
        columns = self._config.mac_array.columns
        places = [
            *self._vectors.sizes.values(),
            *(len(lines.outside) for lines in (self._encoder.weights, self._encoder.biases)),
            len(self._encoder.scales),
        ]
        return WordSizes(
            address=(2 * max(places) + columns * self._batch + self._config.activation.lanes).bit_length() + 1,
            count=max(most + columns + self._most_latency(), 16).bit_length() + 2,
            mac_op=bits_below(self._count("mac")),
            act_op=bits_below(self._count("act")),
            ew_op=bits_below(self._count("ew")),
            dma_op=bits_below(self._count("dma")),
            source=format_constants(self._config, scratch_is_gate=self._gru)["SVB"],
            gate=format_constants(self._config, scratch_is_gate=self._gru)["FB"],
            function=bits_below(len(self._encoder.functions.words) + 2),
        )

    @property
    def _gru(self) -> bool:
        return any(cell.kind is CellKind.GRU for cell in self._source.spec.cells)

    def _most_latency(self) -> int:
        ew = self._config.elementwise
        return max(
            self._dram.latency_cycles,
            self._depth("mac"),
            self._depth("act"),
            ew.cell_latency_cycles,
            ew.hidden_latency_cycles,
        )

    def _depth(self, unit: str) -> int:
        """The depth of a unit whose ops all have the same; 0 if it has none."""
        depths = {self._source.units[op.unit].cycles(op).depth_cycles for op in self._of(unit)}
        return max(depths, default=0)

    def _of(self, unit: str) -> Iterator[Op]:
        return (self._program.phases[place.phase].ops[place.index] for place, _ in self._ops[unit])

    def _parts(self, sizes: WordSizes, found_segments: Sequence[Segment], found_edges: Sequence[Edge]) -> Parts:
        return Parts(
            config=self._config,
            dram=self._dram,
            gru=self._gru,
            batch=self._batch,
            sum_rows=self._sum_rows,
            vectors=self._vectors,
            encoder=self._encoder,
            ops={unit: [encoded for _, encoded in ops] for unit, ops in self._ops.items()},
            first=self._first,
            depths={unit: self._depth(unit) for unit in ("mac", "act")},
            sizes=sizes,
            segments=found_segments,
            edges=found_edges,
        )

    def _roms(
        self, sizes: WordSizes, words: Mapping[str, Word], found_segments: Sequence[Segment]
    ) -> Iterator[tuple[str, str]]:
        for unit in UNITS:
            packed = []
            for _, encoded in self._ops[unit]:
                pointers = {name: pointer_word(pointer, sizes) for name, pointer in encoded.pointers.items()}
                packed.append(words[unit].pack({**encoded.values, **pointers}))
            yield f"{unit}.hex", hex_lines(packed or [0], words[unit].bits)
        width = max(sizes.dma_op, sizes.mac_op, sizes.act_op, sizes.ew_op)
        entries: list[int] = []
        table: list[int] = []
        bits, repeats = bits_below(sum(len(s.entries) for s in found_segments)), max(s.repeat for s in found_segments)
        for segment in found_segments:
            first = len(entries)
            for entry in segment.entries:
                number = self._number[entry.phase, entry.index]
                place = max(n for n, name in enumerate(UNITS) if self._first[name] <= number)
                entries.append((entry.left_out << 4 | place) << width | number - self._first[UNITS[place]])
            word = segment.barrier << bits | first
            word = word << bits | len(entries) - 1
            table.append(word << repeats.bit_length() | segment.repeat - 1)
        yield "entries.hex", hex_lines(entries, 5 + width)
        yield "segments.hex", hex_lines(table, 1 + 2 * bits + repeats.bit_length())

    def _data(self, values: Mapping[str, int]) -> Iterator[tuple[str, str]]:
        weight, bias, element = values["WB"], values["ACB"], values["DVB"]
        line_bits = values["R"] * values["C"] * weight
        lines = [joined(line.tolist(), weight) for line in self._encoder.weights.outside]
        yield "dram_weights.hex", hex_lines(_at_least_two(lines), line_bits)
        lines = [joined(line.tolist(), bias) for line in self._encoder.biases.outside]
        yield "dram_biases.hex", hex_lines(_at_least_two(lines), values["SR"] * bias)
        yield "dram_vectors.hex", hex_lines(_at_least_two(self._elements()), element)
        scales = [joined(line, 40) for line in self._encoder.scales]
        yield "scales.hex", hex_lines(_at_least_two(scales), values["SR"] * 40)
        words = [*self._encoder.functions.words, 0, 0]
        table = self._config.activation.method.name == "table"
        yield "tables.hex", hex_lines(words if table else [0] * len(words), values["TVB"])
        bits = self._encoder.functions.line_word.bits
        yield "lines.hex", hex_lines([0] * len(words) if table else words, bits)

    def _elements(self) -> list[int]:
        found = np.zeros(self._vectors.sizes[Memory.DRAM], np.int64)
        for buffer in self._program.buffers:
            place = self._vectors.places.get(buffer.name)
            if place is not None and place.memory is Memory.DRAM and buffer.is_input:
                values: Array = self._image[buffer.name].reshape(-1)
                found[place.base : place.base + values.size] = values
        return [int(value) for value in found]


def _at_least_two(words: list[int]) -> list[int]:
    return words + [0] * max(0, 2 - len(words))


def _package(name: str, values: Mapping[str, int], sizes: WordSizes, found_edges: Sequence[Edge]) -> str:
    lines = [f"// {name}: made by archsim rtl; the modules beside it are written by hand.", "package archsim_pkg;"]
    for key, value in values.items():
        lines.append(f"  localparam {'bit' if isinstance(value, bool) else 'int'} {key} = {int(value)};")
    count = len(found_edges)
    for key, bits, numbers in (
        ("EDGE_PRODUCER", 16, [edge.producer for edge in found_edges]),
        ("EDGE_CONSUMER", 16, [edge.consumer for edge in found_edges]),
        ("EDGE_AFTER_DONE", 1, [int(edge.after_done) for edge in found_edges]),
        ("EDGE_INITIAL", CREDIT_BITS, [edge.initial for edge in found_edges]),
    ):
        width = count * bits
        lines.append(f"  localparam logic [{width - 1}:0] {key} = {width}'h{joined(numbers, bits):x};")
    lines += [word.declaration() for word in (region_word(sizes), *op_words(sizes).values(), *tag_words(sizes))]
    return "\n".join([*lines, "endpackage", ""])
