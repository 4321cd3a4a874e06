"""Lists the tests that the fast ring leaves out since they take longest: tests/slow_tests.txt.

    ARCHSIM_TEST_SECONDS=times pytest          measure the fast ring, with what the list leaves out now:
    : > tests/slow_tests.txt                   (empty it before)
    python -m tools.slow_tests times --seconds 290

Laws stay, which are short there. The others are left out, the longest first, until the rest takes so many seconds of
processor time.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "tests" / "slow_tests.txt"


def chosen(times: Iterable[tuple[float, str]], seconds: float, kept: frozenset[str] = frozenset()) -> list[str]:
    """The ids of the longest tests without which the others take `seconds`; `kept` are never among them."""
    given = sorted(times, key=lambda test: (-test[0], test[1]))
    left = sum(time for time, _ in given)
    found = []
    for time, name in given:
        if left <= seconds:
            break
        if name not in kept and str(ROOT) not in name:  # an id with a path in it is another one elsewhere
            found.append(name)
            left -= time
    return sorted(found)


def read(file: Path) -> tuple[list[tuple[float, str]], frozenset[str]]:
    """(processor seconds, id) of each test of a measured run, and the ids of those that are laws."""
    rows = [line.split("\t", 2) for line in file.read_text(encoding="utf-8").splitlines()]
    laws = frozenset(name for _, law, name in rows if law)
    return [(float(time), name) for time, _, name in rows], laws


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("times", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--keep", type=Path, help="a file with ids that stay, a line each")
    given = parser.parse_args(arguments)
    kept = frozenset(given.keep.read_text(encoding="utf-8").splitlines()) if given.keep else frozenset()
    times, laws = read(given.times)
    found = chosen(times, given.seconds, kept | laws)
    LIST.write_text("".join(f"{name}\n" for name in found), encoding="utf-8")
    print(f"{len(found)} tests are left to the exhaustive ring")


if __name__ == "__main__":
    main()
