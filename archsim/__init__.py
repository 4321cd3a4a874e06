"""archsim: a cycle-level simulator of LSTM accelerators.

    from archsim import simulate

    run = simulate("edge_64x64", "lstm_200_1000_t70", schedule="split")
    print(run)                       # a line; run.stats has every figure, run.ops() a row for each op
    print(run.stats.cycles_per_step, run.validation.passed)

simulate, load_arch, load_workload, compare and explore take names of presets, paths, or what was loaded. To read the
code, start at `archsim.api.simulate`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from archsim.api import simulate
    from archsim.api.compare import compare
    from archsim.families.load import load_arch
    from archsim.workload import load_workload

    __version__: str

__all__ = ["compare", "explore", "load_arch", "load_workload", "simulate"]

_WHERE = {
    "compare": "archsim.api.compare",
    "load_arch": "archsim.families.load",
    "load_workload": "archsim.workload",
    "simulate": "archsim.api.simulate",
}
"""Where each stands: imported when it is first asked for, so that `import archsim` takes no time."""


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """The functions of `__all__`, and the version; explore is the package of that name, which can be called."""
    if name == "__version__":
        from pathlib import Path

        globals()[name] = found = _version(Path(__file__).resolve().parent.parent)
        return found
    if name == "explore":
        return import_module("archsim.explore")
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'archsim' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({name for name in globals() if name.startswith("__")} | {*__all__})


def _version(beside: Path) -> str:
    """The version in the pyproject.toml of the checkout that the package stands in, else that of the installed package.

    `beside` is the folder that holds the package. An editable install keeps the metadata of the day on which it was
    made, while journals of explorations and workers of a cluster are told apart by the version of the code that runs.
    """
    import tomllib
    from importlib import metadata

    try:
        project = tomllib.loads((beside / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        if project["name"] == "archsim":
            return str(project["version"])
    except (OSError, KeyError, ValueError):  # no checkout, or the file of something else
        pass
    return metadata.version("archsim")
