"""Design-space exploration: `space = Space.load("edge"); study = explore(space); study.pareto()`."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from archsim.explore.results.study import Point, Status, Study
    from archsim.explore.run.explore import explore
    from archsim.explore.space.space import Space

__all__ = ["Point", "Space", "Status", "Study", "explore"]

_WHERE = {
    "Point": "archsim.explore.results.study",
    "Space": "archsim.explore.space.space",
    "Status": "archsim.explore.results.study",
    "Study": "archsim.explore.results.study",
    "explore": "archsim.explore.run.explore",
}
"""Where each stands: imported when it is first asked for. A worker process is started before all of it is loaded."""


class _CallablePackage(ModuleType):
    """This package, which `from archsim import explore` gives, can be called as the function of its name.

    The name of a package hides a function of the same name in the package above it, as soon as the package is imported.
    """

    def __call__(self, space: Space | str | Path, **options: Any) -> Study:  # noqa: ANN401
        """Explore a space; the options are those of archsim.explore.explore."""
        return self.explore(space, **options)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name not in _WHERE:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        found = getattr(import_module(_WHERE[name]), name)
        setattr(self, name, found)
        return found

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


sys.modules[__name__].__class__ = _CallablePackage
