"""What became of each fault: lines of JSON, and what they add up to."""

from __future__ import annotations

import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.faults.fault import Kind

KILLED, SURVIVED, CAPPED = "killed", "survived", "capped"


@dataclass(frozen=True)
class Result:
    """One run of one fault. `how` is failed, import, hang or broken; `seconds` is the CPU time that it took.

    `passed` are the numbers (see `number`) of all tests that the fault has passed so far, `left` counts those that it
    had not met when it was capped.
    """

    key: str
    path: str
    line: int
    kind: str
    before: str
    after: str
    package: str
    verdict: str
    how: str
    test: str
    message: str
    marker: str
    seconds: float
    passed: tuple[int, ...]
    left: int

    def shown(self) -> str:
        """One line."""
        before, after = " ".join(self.before.split()), " ".join(self.after.split())
        tests = f"{len(self.passed)} tests passed" + (f", {self.left} not met under the cap" if self.left else "")
        return f"{self.path}:{self.line} [{self.kind}] {before} => {after} ({tests})"


def number(nodeid: str) -> int:
    """A short name of a test that stays as long as its long one."""
    return zlib.crc32(nodeid.encode())


def append(path: Path, result: Result) -> None:
    """Add a line."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(result)) + "\n")


def read(path: Path) -> list[Result]:
    """All lines of a file; none if it is not there, and a torn last line is not one."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
        data = json.loads(line)
        found.append(Result(**{**data, "passed": tuple(data["passed"])}))
    return found


def last_of_each(results: Iterable[Result], marker: str | None) -> list[Result]:
    """The latest result of each fault; with a marker, what the runs with that marker alone say.

    Of several runs of a fault a kill counts whenever it was.
    """
    latest: dict[str, Result] = {}
    for result in results:
        killed = result.key in latest and latest[result.key].verdict == KILLED
        if not killed and marker in (None, result.marker):
            latest[result.key] = result
    return list(latest.values())


def summary(results: Iterable[Result], marker: str | None) -> str:
    """Shares per package and per kind, then what was not killed."""
    chosen = last_of_each(results, marker)
    by_package: dict[str, Counter[str]] = defaultdict(Counter)
    by_kind: dict[str, Counter[str]] = defaultdict(Counter)
    for result in chosen:
        by_package[result.package][result.verdict] += 1
        by_kind[result.kind][result.verdict] += 1
    total = Counter(result.verdict for result in chosen)
    lines = [f"{'':20} {'faults':>6} {'killed':>6} {'share':>6} {'survived':>8} {'capped':>6}", _row("all", total), ""]
    lines += [_row(name, by_package[name]) for name in sorted(by_package)]
    lines += ["", *(_row(kind, by_kind[kind]) for kind in Kind if kind in by_kind)]
    for verdict in (SURVIVED, CAPPED):
        some = sorted((result for result in chosen if result.verdict == verdict), key=lambda r: (r.path, r.line))
        if some:
            lines += ["", f"{verdict}:", *(result.shown() for result in some)]
    return "\n".join(lines)


def _row(name: str, verdicts: Counter[str]) -> str:
    count = verdicts.total()
    share = f"{100 * verdicts[KILLED] / count:.0f} %" if count else "-"
    return f"{name:20} {count:6} {verdicts[KILLED]:6} {share:>6} {verdicts[SURVIVED]:8} {verdicts[CAPPED]:6}"
