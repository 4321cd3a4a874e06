"""Which tests judge a fault, and in which order: those that are near by name and cheap first."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.faults.blocks import Blocks
from tools.faults.coverage import Case, CaseFile
from tools.faults.fault import Fault
from tools.faults.results import number

BATCH_SECONDS = 3.0
"""Estimated CPU time of the tests that are collected together; the first ones are fewer, since one of them may do."""

FIRST_BATCHES = (0.5, 1.0, 2.0)
"""The same for the first batches."""

IMPORTED_ALREADY = 0.7
"""The part of what collecting a file costs that an earlier file of the same process has paid."""

GUESS_SECONDS = 0.1
"""What a test takes of which no case ran for the map."""

NEAR_COSTS = 0.2
"""How much cheaper a test counts whose file is named after the faulty module or its folder, and once more if it imports
that module: it asserts more about the fault than one that comes by."""

COLLECTED_AGAIN = 0.0004
"""CPU time for a case of a file that is collected once more."""

Selection = Callable[[Sequence[str]], bool]


@dataclass(frozen=True)
class Batch:
    """Tests that run together, by their places in the map, and what each should take in seconds."""

    files: tuple[str, ...]
    cases: tuple[int, ...]
    seconds: tuple[float, ...]


@dataclass(frozen=True)
class _Portion:
    """The cases of one file at one level, with their costs."""

    level: int
    cost: float
    file: str
    cases: tuple[int, ...]


class Planner:
    """All tests of a tree, found by what they reach."""

    def __init__(self, files: Sequence[CaseFile], blocks: Blocks, imports: Mapping[str, Collection[str]]) -> None:
        self.blocks, self.imports = blocks, imports
        self.files = {file.path: file for file in files if file.collected}
        self.cases: list[Case] = []
        self.numbers: list[int] = []
        self.of_function: dict[str, list[int]] = defaultdict(list)
        for file in self.files.values():
            for case in file.tests:
                self.of_function[case.function].append(len(self.cases))
                self.cases.append(case)
                self.numbers.append(number(case.nodeid))
        self.reached = {file.reached for file in self.files.values()} | {case.reached for case in self.cases}
        self.seconds = [case.seconds if case.seconds is not None else self._guess(case) for case in self.cases]

    def batches(self, fault: Fault, selected: Selection, passed: set[int]) -> list[Batch]:
        """The tests that judge a fault, but for those whose numbers say that it has passed them already."""
        portions = sorted(self._portions(fault, selected, passed), key=lambda p: (p.level, p.cost, p.file))
        batches: list[Batch] = []
        files: dict[str, list[int]] = {}
        cost = 0.0
        for portion in portions:
            for some in _chunks(portion.cases, self.seconds):
                most = FIRST_BATCHES[len(batches)] if len(batches) < len(FIRST_BATCHES) else BATCH_SECONDS
                added = sum(self.seconds[case] for case in some)
                if portion.level == 0:
                    added += (1 - IMPORTED_ALREADY) * self.files[portion.file].seconds
                if files and cost + added > most:
                    batches.append(self._batch(files))
                    files, cost = {}, 0.0
                files.setdefault(portion.file, []).extend(some)
                cost += added
        return [*batches, self._batch(files)] if files else batches

    def _batch(self, files: dict[str, list[int]]) -> Batch:
        cases = tuple(case for some in files.values() for case in some)
        return Batch(tuple(files), cases, tuple(self.seconds[case] for case in cases))

    def _portions(self, fault: Fault, selected: Selection, passed: set[int]) -> Iterator[_Portion]:
        mask = self._mask(fault)
        for path, file in self.files.items():
            nearness = _named_after(fault.path, path) + (dotted(fault.path) in self.imports.get(path, ()))
            levels: dict[int, list[int]] = defaultdict(list)
            for function in {case.function: None for case in file.tests}:
                for level, case in self._levels(function, mask, file.reached & mask != 0, nearness):
                    levels[level].append(case)
            for level, cases in levels.items():
                left = self._left(cases, selected, passed)
                if left:
                    first = file.seconds if level == 0 else COLLECTED_AGAIN * len(file.tests)
                    cost = first + sum(self.seconds[case] for case in left)
                    yield _Portion(level, cost * NEAR_COSTS**nearness, path, tuple(left))

    def _mask(self, fault: Fault) -> int:
        """The blocks to look for: those around the fault if the map saw any test there, or else wider circles.

        A case of a test that did not run for the map may reach what the others do not.
        """
        for circle in self.blocks.circles(fault.path, (fault.line, fault.column)):
            mask = sum(1 << block for block in circle)
            if any(reached & mask for reached in self.reached):
                return mask
        return 0

    def _levels(self, function: str, mask: int, at_import: bool, nearness: int) -> Iterator[tuple[int, int]]:
        """The cases of a test function with their level: 0 for one that reaches the fault, 1 for the others that do,
        2 for those not mapped, 3 for what was only reached while the file was imported.

        Near tests are taken whatever the map says, those of a file that is named after the module and imports it with
        level 1, others last: what a process keeps from one test for the next, and cases that did not run for the map,
        hide what they reach.
        """
        cases = self.of_function[function]
        known = [case for case in cases if self.cases[case].seconds is not None]
        judging = [case for case in cases if self.cases[case].passed]
        hitting = [case for case in known if self.cases[case].reached & mask]
        hitting.sort(key=lambda case: self.seconds[case])
        for case in judging:
            if case in hitting:
                yield (0 if case == hitting[0] else 1), case
            elif hitting and self.cases[case].seconds is None:
                yield 2, case
            elif nearness > 1:
                yield 1, case
            elif nearness or at_import:
                yield 3, case

    def _left(self, cases: Sequence[int], selected: Selection, passed: set[int]) -> list[int]:
        return [case for case in cases if self.numbers[case] not in passed and selected(self.cases[case].markers)]

    def _guess(self, case: Case) -> float:
        known = [self.cases[other].seconds for other in self.of_function[case.function]]
        seconds = [value for value in known if value is not None]
        return sum(seconds) / len(seconds) if seconds else GUESS_SECONDS


def selection(expression: str) -> Selection:
    """Which markers an expression like "not exhaustive and slow" selects; an empty one selects all."""
    if not expression.strip():
        return lambda markers: True
    tree = ast.parse(expression.strip(), mode="eval").body

    def holds(node: ast.expr, markers: Sequence[str]) -> bool:
        if isinstance(node, ast.Name):
            return node.id in markers
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return not holds(node.operand, markers)
        if isinstance(node, ast.BoolOp):
            parts = [holds(value, markers) for value in node.values]
            return all(parts) if isinstance(node.op, ast.And) else any(parts)
        raise ValueError(f"{expression!r} is no expression of markers, and, or and not")

    holds(tree, ())
    return lambda markers: holds(tree, markers)


def dotted(path: str) -> str:
    """The name that imports a module of the tree."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports_of(root: Path, files: Sequence[CaseFile]) -> dict[str, set[str]]:
    """The modules that each test file imports itself, or names from."""
    found: dict[str, set[str]] = {}
    for file in files:
        names = found.setdefault(file.path, set())
        for node in ast.walk(ast.parse((root / file.path).read_bytes())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _named_after(module: str, test: str) -> bool:
    """Whether a test file is named after a module or its folder."""
    words = [word for word in re.split(r"[/_.]", module) if len(word) > 2 and word not in ("py", "archsim", "init")]
    of_test = {word for word in re.split(r"[/_.]", test) if word not in ("py", "tests", "test", "by", "of")}
    return bool(of_test & set(words))


def _chunks(cases: Sequence[int], seconds: Sequence[float]) -> Iterator[list[int]]:
    """Cases in runs of about a batch's cost."""
    chunk: list[int] = []
    for case in cases:
        chunk.append(case)
        if sum(seconds[c] for c in chunk[-400:]) > BATCH_SECONDS or len(chunk) >= 400:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
