"""Prints the lowest versions that pyproject.toml allows, as constraints for pip.

    python -m tools.lower_bounds EXTRA... >lowest.txt
    pip install -e ".[EXTRA,...]" -c lowest.txt

Of the dependencies and of the extras that are named. `.ci/run` tests a share of the fast ring with them.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_LOWER = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?>=(?P<version>[0-9.]+)(?:,<[0-9.]+)?(?:;.+)?")


def lowest(requirements: Iterable[str]) -> list[str]:
    """Each requirement at its lower bound, sorted; ValueError if one has no lower bound.

    Markers are left out: a constraint on what is not installed binds nothing.
    """
    found: dict[str, str] = {}
    for requirement in requirements:
        match = _LOWER.fullmatch(requirement.replace(" ", ""))
        if match is None:
            raise ValueError(f"{requirement}: no lower bound of the form NAME>=VERSION")
        known = found.setdefault(match["name"], match["version"])
        if known != match["version"]:
            raise ValueError(f"{match['name']}: two lower bounds, {known} and {match['version']}")
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def requirements_of(project: Path, extras: Sequence[str]) -> list[str]:
    """The requirements of pyproject.toml's dependencies and of those extras; KeyError of an extra that is not there."""
    table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    return [*table["dependencies"], *(each for extra in extras for each in table["optional-dependencies"][extra])]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the constraints."""
    extras = sys.argv[1:] if arguments is None else arguments
    print("\n".join(lowest(requirements_of(ROOT / "pyproject.toml", extras))))


if __name__ == "__main__":
    main()
