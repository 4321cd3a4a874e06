"""The RTL's datapaths in whole numbers of Python: a program carried out op by op, from the generated files alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.families.gemv.rtl.generated import Package, parts, read_package, read_words, signed

UNITS = ("dma", "mac", "act", "ew")
MEMORIES = {"X": "XB", "H": "HB", "C": "CB", "SUMS": "GB", "GATES": "FB", "SCRATCH": "KB", "VECTOR": "HB"}
"""The memories of vectors, each with the constant that is the bits of its numbers."""
MOST = (1 << 62) - 1


def narrow(number: int, bits: int, wraps: int) -> int:
    """A number in so many bits: cut off, or the nearest that there is (narrow.sv)."""
    return signed(number, bits) if wraps else min(max(number, -(1 << (bits - 1))), (1 << (bits - 1)) - 1)


def _shifted(number: int, right: int, mode: int) -> int:
    if not right:
        return number
    floor, rest, half = number >> right, number & (1 << right) - 1, 1 << (right - 1)
    if mode == 0:
        return floor + (rest > half or (rest == half and floor & 1))
    if mode == 3:
        return floor + (rest > half or (rest == half and number >= 0))
    return floor + (mode == 1 and rest >= half)


def converted(number: int, m: int, s: int, mode: int) -> int:
    """number m / 2^s, rounded: to even, up, down, away from zero (scale_round.sv); the last one twice if m is not 1."""
    right, twice = max(s, 0), mode == 3 and m != 1
    first = min(right, 31) if twice else right
    whole = _shifted(number * m, first, 1 if twice else mode)
    whole = _shifted(whole, right - first, mode) << max(-s, 0)
    return min(max(whole, -MOST), MOST)


@dataclass(frozen=True)
class Retired:
    """What an op has written, by its number: of a tile lane by lane."""

    op: int
    codes: list[int]
    stored: bool = False


@dataclass
class Machine:
    """A machine as its files describe it, with what its memories hold."""

    files: Mapping[str, str]
    package: Package = field(init=False)
    memories: dict[str, list[int]] = field(init=False)
    roms: dict[str, list[dict[str, Any]]] = field(init=False)
    _kept: dict[tuple[str, int, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.package = read_package(self.files["archsim_pkg.sv"])
        c = self.c = self.package.constants
        self.memories = {name: [0] * c[f"{name}_DEPTH"] for name in MEMORIES}
        self.roms = {}
        for unit in UNITS:
            bits = c[f"{unit.upper()}_BITS"]
            assert bits == self.package.bits(f"{unit}_op_t")
            words = read_words(self.files[f"{unit}.hex"], bits)
            assert len(words) == c[f"{unit.upper()}_OPS"]
            self.roms[unit] = [self.package.unpacked(f"{unit}_op_t", word) for word in words]
            assert c[f"{unit.upper()}_TAG_BITS"] == self.package.bits(f"{unit}_tag_t")
        line, bias = c["R"] * c["C"], c["SR"]
        self._dram_weights = self._lines("dram_weights", c["WB"], line, c["DRAM_WEIGHT_LINES"])
        self._dram_biases = self._lines("dram_biases", c["ACB"], bias, c["DRAM_BIAS_LINES"])
        self._weights, self._biases = [[0] * line] * c["WEIGHT_LINES"], [[0] * bias] * c["BIAS_LINES"]
        words = read_words(self.files["scales.hex"], 40 * bias)
        assert len(words) == c["SCALE_LINES"]
        self._scales = [[word >> 40 * row & (1 << 40) - 1 for row in range(bias)] for word in words]
        words = read_words(self.files["dram_vectors.hex"], c["DVB"])
        assert len(words) == c["DRAM_ELEMENTS"]
        self.dram = [signed(word, c["DVB"]) for word in words]
        self._table = [signed(word, c["TVB"]) for word in read_words(self.files["tables.hex"], c["TVB"])]
        line_bits = c["AB"] + c["SLOPE_BITS"] + 63
        self._segments = read_words(self.files["lines.hex"], line_bits)
        assert len(self._table) == c["TABLE_WORDS"]
        assert len(self._segments) == c["LINE_WORDS"]

    def _lines(self, name: str, bits: int, count: int, depth: int) -> list[list[int]]:
        words = read_words(self.files[f"{name}.hex"], bits * count)
        assert len(words) == depth
        return [parts(word, bits, count) for word in words]

    def entries(self) -> Iterator[tuple[str, int]]:
        """The ops in the order in which the sequencer issues them, without those that are left out."""
        for left_out, unit, op, _ in self.issued():
            if not left_out:
                yield unit, op

    def issued(self) -> Iterator[tuple[int, str, int, bool]]:
        """Every entry: whether it is left out, the unit, its op, and whether it begins behind a barrier."""
        c = self.c
        entries = read_words(self.files["entries.hex"], 5 + c["IW"])
        bits = 1 + 2 * c["SEQ_EW"] + c["SEQ_RW"]
        segments = read_words(self.files["segments.hex"], bits)
        assert (len(entries), len(segments)) == (c["SEQ_ENTRIES"], c["SEQ_SEGMENTS"])
        for segment in segments:
            repeats = segment & (1 << c["SEQ_RW"]) - 1
            last = segment >> c["SEQ_RW"] & (1 << c["SEQ_EW"]) - 1
            first = segment >> c["SEQ_RW"] + c["SEQ_EW"] & (1 << c["SEQ_EW"]) - 1
            for repetition in range(repeats + 1):
                for place in range(first, last + 1):
                    word = entries[place]
                    op, unit = word & (1 << c["IW"]) - 1, UNITS[word >> c["IW"] & 15]
                    barrier = bool(segment >> bits - 1) and not repetition and place == first
                    yield word >> c["IW"] + 4, unit, op, barrier

    def number(self, unit: str, op: int) -> int:
        """An op's number among those of all units."""
        return op + (self.c[f"{unit.upper()}_FIRST"] if unit != "dma" else 0)

    def run(self) -> Iterator[Retired]:
        """Carry the program out, each op as a whole."""
        for unit, op in self.entries():
            word = self.roms[unit][op]
            found = {"dma": self._dma, "mac": self._mac, "act": self._act, "ew": self._ew}[unit](op, word)
            if found is not None:
                yield Retired(self.number(unit, op), found, unit == "dma" and word["kind"] == 3)

    def _pointer(self, unit: str, op: int, name: str, word: dict[str, Any]) -> int:
        """Where an operand is in this repetition (pointer.sv)."""
        mask = (1 << self.c["AW"]) - 1
        here: int = self._kept.get((unit, op, name), word[name]["first"])
        following = here + word[name]["step"] & mask
        over = following >= word[name]["limit"]
        self._kept[unit, op, name] = following - word[name]["span"] & mask if over else following
        return here

    def _dma(self, op: int, word: dict[str, Any]) -> list[int] | None:
        inside, outside = self._pointer("dma", op, "inside_", word), self._pointer("dma", op, "outside", word)
        items, kind = word["items"], word["kind"]
        share = self.c[("WL", "BL", "FL", "FL")[kind]]
        assert items <= share * word["occupancy"], "not all of it is moved while the op holds the unit"
        if kind < 2:
            there, here = ((self._dram_weights, self._weights), (self._dram_biases, self._biases))[kind]
            assert items == 0 or (outside + items <= len(there) and inside + items <= len(here))
            here[inside : inside + items] = there[outside : outside + items]
            return None
        name = ("X", "H", "C")[word["vector"]]
        memory, bits = self.memories[name], self.c[MEMORIES[name]]
        assert inside + items <= len(memory)
        assert outside + items <= len(self.dram)
        if kind == 3:
            self.dram[outside : outside + items] = memory[inside : inside + items]
            return memory[inside : inside + items]
        memory[inside : inside + items] = [signed(code, bits) for code in self.dram[outside : outside + items]]
        return memory[inside : inside + items]

    def _mac(self, op: int, word: dict[str, Any]) -> list[int]:
        c, b = self.c, self.c["B"]
        x, h, at = (self._pointer("mac", op, name, word) for name in ("x", "h", "sums"))
        assert word["beats"] == word["chunks"] * b <= word["occupancy"]
        sums, found = self.memories["SUMS"], []
        for lane in range(b):
            line, kept = word["weight_line"], [0] * c["SR"]
            for chunk in range(word["chunks"]):
                vector = [self._input(word, x, h, chunk * c["C"] + column, lane) for column in range(c["C"])]
                second = chunk >= word["first_chunks"]
                if chunk in (0, word["first_chunks"]):
                    kept = self._biases[word["bias_line"]] if word["has_bias"] and not chunk else [0] * c["SR"]
                weights = self._weights[line]
                kept = [self._accumulated(kept[r], weights, vector, r) for r in range(c["SR"])]
                if chunk in (word["first_chunks"] - 1, word["chunks"] - 1):
                    scale = self._scales[word["scale_line"] + second]
                    for row in range(word["rows"] if second else word["entries"]):
                        total = converted(kept[row], scale[row] >> 9, signed(scale[row], 9), c["GATE_ROUNDING"])
                        total += sums[at + lane + row * b] if second or not word["starts"] else 0
                        sums[at + lane + row * b] = narrow(total, c["GB"], c["GATE_WRAP"])
                line += word["line_step"]
            found += [sums[at + lane + row * b] for row in range(word["entries"])]
        return found

    def _input(self, word: dict[str, Any], x: int, h: int, column: int, lane: int) -> int:
        """An input of a tile, its zero point taken off; behind the last one any number, as its weights are 0."""
        c, mask = self.c, (1 << self.c["AW"]) - 1
        if column < word["x_inputs"]:
            memory, place, zero = self.memories["X"], x + column * c["B"] + lane, word["x_zero"]
        else:
            memory = self.memories["VECTOR" if word["h_is_vector"] else "H"]
            place, zero = h - word["h_back"] + column * c["B"] + lane & mask, word["h_zero"]
        return (memory[place] if place < len(memory) else 0) - signed(zero, 17)

    def _accumulated(self, before: int, weights: list[int], vector: list[int], row: int) -> int:
        c = self.c
        chunk = 0
        if row < c["R"]:
            products = zip(weights[row * c["C"] : (row + 1) * c["C"]], vector, strict=True)
            chunk = converted(sum(w * v for w, v in products), 1, c["ACC_SHIFT"], c["ACC_ROUNDING"])
        return narrow(before + chunk, c["ACB"], c["ACC_WRAP"])

    def _act(self, op: int, word: dict[str, Any]) -> list[int]:
        c = self.c
        source, into = self._pointer("act", op, "from", word), self._pointer("act", op, "into", word)
        assert word["beats"] == -(-word["values"] // c["LA"]) <= word["occupancy"]
        memory = self.memories[("SUMS", "C", "SCRATCH")[word["source"]]]
        target = ("GATES", "SCRATCH", "H")[word["target"]]
        kind = ("HB", "HIDDEN_WRAP") if target == "H" else ("FB", "ACTIVATION_WRAP")
        found = []
        for number in memory[source : source + word["values"]]:
            bounded = min(max(number, -word["bound"]), word["bound"]) if word["clips"] else number
            mode = word["target_rounding"] if word["is_identity"] else c["ADDRESS_ROUNDING"]
            wide = converted(bounded - signed(word["source_zero"], 16), word["m"], word["s"], mode)
            zero = word["target_zero"]
            if not word["is_identity"]:
                address = narrow(wide, c["AB"], c["ADDRESS_WRAP"])
                wide = self._looked_up(address, word) if c["METHOD"] == 0 else self._line(address, word)
                zero = 0 if c["METHOD"] == 0 else zero
            found.append(narrow(wide + zero, c[kind[0]], c[kind[1]]))
        assert len(found) == word["values"]
        self.memories[target][into : into + len(found)] = found
        return found

    def _looked_up(self, address: int, word: dict[str, Any]) -> int:
        c, base = self.c, word["function_base"]
        limited = min(max(address, -c["TABLE_BEYOND"]), c["TABLE_BEYOND"]) << c["TABLE_FINER"]
        offset = min(max(limited, -c["TABLE_SPAN"]), c["TABLE_SPAN"]) + c["TABLE_SPAN"]
        assert offset < 1 << c["OFW"] - 1
        rest_bits = c["TABLE_REST_BITS"]
        half = 0 if c["TABLE_LINEAR"] or not rest_bits else 1 << (rest_bits - 1)
        index = min(offset + half >> rest_bits, c["TABLE_ENTRIES"] - 1)
        low: int = self._table[base + index]
        if not c["TABLE_LINEAR"]:
            return low
        rise = (self._table[base + index + 1] - low) * (offset - (index << rest_bits))
        return low + converted(rise, 1, rest_bits, word["target_rounding"])

    def _line(self, address: int, word: dict[str, Any]) -> int:
        c, base = self.c, word["function_base"]
        limited = min(max(address, c["LINES_LOWEST"]), c["LINES_HIGHEST"])
        coefficients = c["SLOPE_BITS"] + 63
        chosen: int = self._segments[base]
        for segment in self._segments[base + 1 : base + c["SEGMENTS_OF_LINES"]]:
            chosen = segment if signed(segment >> coefficients, c["AB"]) <= limited else chosen
        product = signed(chosen >> 63, c["SLOPE_BITS"]) * limited
        return converted(product, word["m2"], word["s2"], word["target_rounding"]) + signed(chosen, 63)

    def _ew(self, op: int, word: dict[str, Any]) -> list[int]:
        c = self.c
        a, b, second, d, into = (self._pointer("ew", op, name, word) for name in ("a", "b", "c", "d", "into"))
        assert word["beats"] == -(-word["values"] // c["LE"]) <= word["occupancy"]
        gates = self.memories["GATES"]
        of_b = self.memories[("C", "SCRATCH", "SUMS", "H", "GATES")[word["b_source"]]]
        of_d = self.memories[("GATES", "SUMS", "H")[word["d_source"]]]
        target = ("C", "H", "VECTOR", "SCRATCH")[word["target"]]
        assert target in (("C", "H", "SCRATCH") if word["adds"] else ("H", "VECTOR"))
        kind = {"C": ("CB", "CELL_WRAP"), "SCRATCH": ("GB", "GATE_WRAP")}.get(target, ("HB", "HIDDEN_WRAP"))
        mode, found = word["target_rounding"], []
        for place in range(word["values"]):
            factor = word["one"] - gates[a + place] if word["complement"] else gates[a + place]
            total = converted(factor * (of_b[b + place] - signed(word["b_zero"], 17)), word["m1"], word["s1"], mode)
            if word["has_second"]:
                other = 1 if word["unit_second"] else gates[second + place]
                product = other * (of_d[d + place] - signed(word["d_zero"], 17))
                total += converted(product, word["m2"], word["s2"], mode)
            found.append(narrow(total + word["target_zero"], c[kind[0]], c[kind[1]]))
        self.memories[target][into : into + len(found)] = found
        return found
