"""Design-space exploration: `space = Space.load("edge"); study = explore(space); study.pareto()`."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from archsim.explore.results.study import Point, Status, Study
from archsim.explore.run.explore import explore
from archsim.explore.space.space import Space

__all__ = ["Point", "Space", "Status", "Study", "explore"]


class _CallablePackage(ModuleType):
    """This package, which `from archsim import explore` gives, can be called as the function of its name.

    The name of a package hides a function of the same name in the package above it, as soon as the package is imported.
    """

    def __call__(self, space: Space | str | Path, **options: Any) -> Study:  # noqa: ANN401
        """Explore a space; the options are those of archsim.explore.explore."""
        return explore(space, **options)


sys.modules[__name__].__class__ = _CallablePackage
