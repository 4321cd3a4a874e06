"""A model of numbers that knows the exported JSON and docs/program_json.md alone: it executes ops in program order.

Nothing is imported from archsim, nor any library, but what normalizes beside it: all values are Python's whole numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from tests.export.normalization_model import normalized

Json = dict[str, Any]
Matrix = list[list[int]]
WIDE = 2**62 - 1


def rounded_shift(v: int, shift: int, rounding: str) -> int:
    """v / 2^shift, rounded; a negative shift multiplies."""
    if shift <= 0:
        return v << -shift
    floor, rest, half = v >> shift, v & ((1 << shift) - 1), 1 << (shift - 1)
    up = {
        "even": rest > half or (rest == half and floor % 2 == 1),
        "half_up": rest >= half,
        "truncate": False,
        "gemmlowp": rest > half or (rest == half and v >= 0),
    }[rounding]
    return floor + up


def rescaled(v: int, rescale: Json, row: int = 0) -> int:
    """v * multiplier / 2^shift, rounded and limited to 62 bits."""
    place = row if len(rescale["multipliers"]) > 1 else 0
    multiplier, shift = rescale["multipliers"][place], rescale["shifts"][place]
    if multiplier == 1 or rescale["rounding"] != "gemmlowp":
        result = rounded_shift(v * multiplier, shift, rescale["rounding"])
    else:
        exponent = 31 - shift
        high = rounded_shift((v << max(exponent, 0)) * multiplier, 31, "half_up")
        result = rounded_shift(high, max(-exponent, 0), "gemmlowp")
    return max(-WIDE, min(WIDE, result))


def in_range(v: int, number_format: Json) -> int:
    low: int = number_format["lowest"]
    high: int = number_format["highest"]
    if number_format["wraps"]:
        return (v - low) % (high - low + 1) + low
    return max(low, min(high, v))


class Model:
    """The contents of all buffers, and what ops do to them."""

    def __init__(self, program: Json) -> None:
        self.program = program
        self.buffers = program["buffers"]
        self.slots: list[dict[int, Matrix]] = [{} for _ in self.buffers]
        for found in program["contents"]:
            self.slot(found["buffer"], found["slot"])[found["entry"]] = list(found["values"])

    def slot(self, buffer: int, number: int) -> Matrix:
        """The entries of a slot, which stand for 0 as long as nothing has been written."""
        facts = self.buffers[buffer]
        blank = [[facts["zero"]] * facts["width"] for _ in range(facts["entries"])]
        return self.slots[buffer].setdefault(number, blank)

    def run(self) -> None:
        for number, phase in enumerate(self.program["phases"]):
            ops = [op for op in self.program["ops"] if op["phase"] == number]
            for r in range(phase["repeat"]):
                for op in ops:
                    if op["skip_first"] <= r < phase["repeat"] - op["skip_last"]:
                        Execution(self, op, r).run()


class Execution:
    """One op in one repetition."""

    def __init__(self, model: Model, op: Json, repetition: int) -> None:
        self.model = model
        self.op = op
        self.arguments = op["arguments"]
        self.numbers = op["arithmetic"]
        self.repetition = repetition

    def run(self) -> None:
        definition = self.numbers["definition"]
        {
            "move": self.move,
            "constant": self.constant,
            "tile": self.product if self.op["type"] == "MatVec" else self.tile,
            "pass": self.array_pass,
            "drain": self.drain,
            "steps": self.steps,
            "elementwise": self.elementwise,
            "normalization": self.normalization,
            "activation": self.activation,
        }[definition]()

    def facts(self, argument: Json) -> Json:
        found: Json = self.model.buffers[self.op["operands"][argument["operand"]]["buffer"]]
        return found

    def place(self, argument: Json) -> tuple[Matrix, int, int]:
        operand = self.op["operands"][argument["operand"]]
        pointer = operand["slot"]
        slot = pointer["start"] + self.repetition * pointer["increment"]
        if pointer["modulus"] is not None:
            slot %= pointer["modulus"]
        first = operand["first_entry"]
        return self.model.slot(operand["buffer"], slot), first, first + operand["entries"]

    def read(self, argument: Json) -> Matrix:
        entries, first, stop = self.place(argument)
        return [list(entry) for entry in entries[first:stop]]

    def write(self, argument: Json, values: Matrix) -> None:
        entries, first, stop = self.place(argument)
        assert len(values) == stop - first
        entries[first:stop] = values

    def narrow(self, v: int, target: Json) -> int:
        return in_range(v + target["zero"], target["format"])

    def move(self) -> None:
        codes = [row for place in self.op["reads"] for row in self.read({"operand": place})]
        for place in self.op["writes"]:
            self.write({"operand": place}, [list(row) for row in codes])

    def constant(self) -> None:
        for place in self.op["writes"]:
            entries, first, stop = self.place({"operand": place})
            entries[first:stop] = [[self.numbers["value"]] * len(entries[0]) for _ in range(first, stop)]

    def tile(self) -> None:
        a = self.arguments
        bias = [row[0] for row in self.read(a["bias"])] if a["bias"] else None
        if self.op["type"] == "BlockTile":
            weights = [self.read(a["weights"])]
            for vector, sums in zip(a["vectors"], a["sums"], strict=True):
                self.write(sums, self.sums(weights, [self.read(vector)], bias, self.facts(sums), None))
            return
        before = None if a["start"] else self.read(a["sums"])
        if a["onto"]:
            before = self.read(a["onto"])
        weights, vectors = [self.read(w) for w in a["weights"]], [self.read(v) for v in a["vectors"]]
        rows = len(weights[0])
        target = self.facts(a["sums"])
        if a["onto"]:  # the multiplied rows are the last ones
            assert before is not None
            passed, before = before[: len(before) - rows], before[len(before) - rows :]
            self.write(a["sums"], passed + self.sums(weights, vectors, None, target, before))
        else:
            self.write(a["sums"], self.sums(weights, vectors, bias, target, before))

    def product(self) -> None:
        """MatVec: sums of their own in their format, or what is to be added to sums, as wide as it comes."""
        a = self.arguments
        weights, vectors = [self.read(a["weights"])], [self.read(a["vector"])]
        bias = [row[0] for row in self.read(a["bias"])] if a["bias"] else None
        self.write(a["target"], self.sums(weights, vectors, bias, self.facts(a["sums"]) if a["start"] else None, None))

    def array_pass(self) -> None:
        a, numbers = self.arguments, self.numbers
        tile, vector = self.read(a["tile"]), self.read(a["vector"])
        operand = self.op["operands"][a["sums"]["operand"]]
        sums = self.read(a["sums"]) if not a["start"] else [[0] * len(vector[0]) for _ in range(operand["entries"])]
        if a["bias"]:
            sums = [row * len(vector[0]) for row in self.read(a["bias"])]
        for row, found in enumerate(sums):
            for lane, old in enumerate(found):
                part = sum(w * (x[lane] - numbers["vector_zero"]) for w, x in zip(tile[row], vector, strict=False))
                part = rounded_shift(part, numbers["chunk_shift"], numbers["accumulator"]["rounding"])
                found[lane] = in_range(old + part, numbers["accumulator"])
        self.write(a["sums"], sums)

    def drain(self) -> None:
        a, target = self.arguments, self.facts(self.arguments["target"])
        rows = self.op["operands"][a["target"]["operand"]]["entries"]
        sums = [[target["zero"]] * target["width"] for _ in range(rows)]
        first = a["parts"][0]["first"]
        begun = range(first, first + len(self.read(a["parts"][0]["sums"])))
        if a["bias"]:
            bias, rescale = self.read(a["bias"]), self.numbers["bias_to_sums"]
            for row in set(range(rows)) - set(begun):
                sums[row] = [self.narrow(rescaled(bias[row][0], rescale, row), target)] * target["width"]
        for number, (part, rescale) in enumerate(zip(a["parts"], self.numbers["to_sums"], strict=True)):
            for row, values in enumerate(self.read(part["sums"])):
                old = [0] * len(values) if number == 0 else sums[part["first"] + row]
                new = [self.narrow(v + rescaled(a, rescale, row), target) for v, a in zip(old, values, strict=True)]
                sums[part["first"] + row] = new
        self.write(a["target"], sums)

    def steps(self) -> None:
        words = self.read(self.arguments["source"])
        for step, numbers in zip(self.arguments["steps"], self.numbers["steps"], strict=True):
            words = [
                [self.step(step, numbers, v, row, lane) for lane, v in enumerate(values)]
                for row, values in enumerate(words)
            ]
        for target in self.arguments["targets"]:
            self.write(target, [list(row) for row in words])

    def step(self, step: Json, numbers: Json, word: int, row: int, lane: int) -> int:
        """What a step of a multi-function unit makes of one word."""
        register = self.read(step["register"])[row][lane] if step.get("register") else 0
        match numbers["definition"]:
            case "function":
                clip = numbers["clip"]
                inside = word if clip is None else max(-clip, min(clip, word))
                return self.function(
                    self.model.program["functions"][numbers["function"]], inside, self.facts(step["result"])
                )
            case "add":
                return self.narrow(word + register - numbers["register_zero"], self.facts(step["result"]))
            case "settle":
                result = self.facts(step["result"])
                if numbers["bias"] is not None:
                    word += self.narrow(rescaled(self.read(step["bias"])[row][0], numbers["bias"], row), result)
                return self.narrow(word, result)
            case "difference":
                return word - register if step["register"] else numbers["one"] - word
            case "times":
                p = numbers["product"]
                product = rescaled((word - p["a_zero"]) * (register - p["b_zero"]), p["rescale"])
                return self.narrow(product, self.facts(step["result"])) if numbers["narrow"] else product
        raise ValueError(f"the page has no step {numbers['definition']}")

    def sums(
        self,
        weights: list[Matrix],
        vectors: list[Matrix],
        bias: list[int] | None,
        target: Json | None,
        before: Matrix | None,
    ) -> Matrix:
        """The sums that the accumulations of a tile leave, on what was there before or from the bias.

        Without a target they are as wide as they come.
        """
        rows, lanes = len(weights[0]), len(vectors[0][0])
        sums = [[0] * lanes for _ in range(rows)] if before is None else [list(row) for row in before]
        accumulator = self.numbers["accumulator"]
        for number, accumulation in enumerate(self.numbers["accumulations"]):
            w = [[v for p in accumulation["operands"] for v in weights[p][row]] for row in range(rows)]
            x = [row for p in accumulation["operands"] for row in vectors[p]]
            for row in range(rows):
                for lane in range(lanes):
                    total = bias[row] if bias is not None and before is None and number == 0 else 0
                    for first in range(0, len(x), accumulation["columns"]):
                        chunk = range(first, min(first + accumulation["columns"], len(x)))
                        part = sum(w[row][k] * (x[k][lane] - accumulation["vector_zero"]) for k in chunk)
                        part = rounded_shift(part, accumulation["chunk_shift"], accumulator["rounding"])
                        total = in_range(total + part, accumulator)
                    wide = sums[row][lane] + rescaled(total, accumulation["to_sums"], row)
                    sums[row][lane] = wide if target is None else self.narrow(wide, target)
        if before is None and target is not None and self.op["type"] != "MatVec":
            entries = self.sums_entries()
            for row in range(rows, entries):  # rows without a product take their bias alone
                alone = 0 if bias is None else rescaled(bias[row], self.numbers["bias_to_sums"], row)
                sums.append([self.narrow(alone, target)] * lanes)
        return sums

    def sums_entries(self) -> int:
        sums = self.arguments["sums"]
        first = sums[0] if isinstance(sums, list) else sums
        entries: int = self.op["operands"][first["operand"]]["entries"]
        return entries

    def times(self, number: int, a: Matrix, b: Matrix) -> Matrix:
        facts = self.numbers["products"][number]
        return [
            [
                rescaled((x - facts["a_zero"]) * (y - facts["b_zero"]), facts["rescale"])
                for x, y in zip(*pair, strict=True)
            ]
            for pair in zip(a, b, strict=True)
        ]

    def values(self, number: int, operand: Json) -> Matrix:
        zero, rescale = self.facts(operand)["zero"], self.numbers["values"][number]
        return [[rescaled(v - zero, rescale) for v in row] for row in self.read(operand)]

    def elementwise(self) -> None:
        a, read = self.arguments, self.read
        one = self.numbers["one"]

        def added(x: Matrix, y: Matrix) -> Matrix:
            return [[u + v for u, v in zip(*pair, strict=True)] for pair in zip(x, y, strict=True)]

        def one_minus(x: Matrix) -> Matrix:
            return [[one - value for value in row] for row in x]

        match self.op["type"]:
            case "CellUpdate":
                i = read(a["input_gate"])
                f = read(a["forget_gate"]) if a["forget_gate"] else one_minus(i)
                result = added(self.times(0, f, read(a["target"])), self.times(1, i, read(a["candidate"])))
            case "HiddenUpdate":
                result = self.times(0, read(a["output_gate"]), read(a["tanh_cell"]))
            case "Peephole":
                weights, cell = read(a["weights"]), read(a["cell"])
                lanes, copies = len(cell[0]), len(weights) // len(cell)
                products = self.times(0, [row * lanes for row in weights], cell * copies)
                result = added(read(a["target"]), products)
            case "CandidateSum":
                part = [[rescaled(v, self.numbers["values"][0]) for v in row] for row in read(a["input_part"])]
                result = added(part, self.times(0, read(a["reset_gate"]), read(a["hidden_part"])))
            case "ResetHidden":
                result = self.times(0, read(a["reset_gate"]), read(a["hidden"]))
            case "GruUpdate":
                z = read(a["update_gate"])
                result = added(self.times(0, one_minus(z), read(a["candidate"])), self.times(1, z, read(a["old"])))
            case "MergeProduct":
                result = self.times(0, read(a["forward"]), read(a["backward"]))
            case "MergeSum":
                result = added(*(self.values(number, a[name]) for number, name in enumerate(("forward", "backward"))))
            case other:
                raise ValueError(f"the page has no op {other}")
        target = self.facts(a["target"])
        self.write(a["target"], self.held([[self.narrow(v, target) for v in row] for row in result]))

    def normalization(self) -> None:
        a, facts, target = self.arguments, self.numbers, self.facts(self.arguments["target"])
        sums, gamma = self.read(a["sums"]), [row[0] for row in self.read(a["weights"])]
        bias = [0] * len(sums)
        if a["bias"]:
            bias = [rescaled(row[0], facts["bias"], number) for number, row in enumerate(self.read(a["bias"]))]
        places, least = facts["fraction_bits"], facts["least_variance"]
        lanes = [normalized(u, gamma, bias, places, least) for u in zip(*sums, strict=True)]
        rows = [
            [self.narrow(rescaled(v, facts["to_sums"], number), target) for v in row]
            for number, row in enumerate(zip(*lanes, strict=True))
        ]
        self.write(a["target"], rows)

    def activation(self) -> None:
        a = self.arguments
        source, target = self.facts(a["source"]), self.facts(a["target"])
        function = self.model.program["functions"][self.numbers["function"]]
        x = self.read(a["source"])
        if a["bias"]:
            bias = self.read(a["bias"])
            to_source = self.numbers["bias_to_source"]
            x = [
                [self.narrow(v - source["zero"] + rescaled(bias[row][0], to_source, row), source) for v in values]
                for row, values in enumerate(x)
            ]
        clip = self.numbers["clip"]
        if clip is not None:
            x = [[max(-clip, min(clip, v)) for v in row] for row in x]
        self.write(a["target"], self.held([[self.function(function, v, target) for v in row] for row in x]))

    def function(self, facts: Json, x: int, target: Json) -> int:
        if facts["definition"] == "identity":
            return self.narrow(rescaled(x - facts["source_zero"], facts["rescale"]), target)
        to = facts["addressing"]
        address = in_range(rescaled(x - to["source_zero"], to["rescale"]), to["address"])
        if facts["definition"] == "lines":
            address = max(facts["address_lowest"], min(facts["address_highest"], address))
            k = bisect_right(list(facts["breakpoints"]), address)
            return self.narrow(
                rescaled(facts["slopes"][k] * address, facts["rescale"]) + facts["intercepts"][k], target
            )
        assert facts["definition"] == "table"
        limit, half, bits = (int(facts[name]) for name in ("address_limit", "half_span", "step_bits"))
        fine: int = max(-limit, min(limit, address)) << facts["address_shift"]
        offset = max(-half, min(half, fine)) + half
        values: list[int] = facts["values"]
        last = len(values) - 2
        if facts["interpolation"] == "nearest":
            return values[min(last, (offset + ((1 << bits) >> 1)) >> bits)]
        j = min(last, offset >> bits)
        rise = (values[j + 1] - values[j]) * (offset - (j << bits))
        return values[j] + rounded_shift(rise, bits, str(facts["rounding"]))

    def held(self, result: Matrix) -> Matrix:
        """In batch lanes without a sequence at this time step, what was there before."""
        hold = self.arguments["hold"]
        if hold is None:
            return result
        valid, old = self.read(hold["valid"])[0], self.read(hold["old"])
        return [
            [new if ok else before for new, ok, before in zip(row, valid, kept, strict=True)]
            for row, kept in zip(result, old, strict=True)
        ]
