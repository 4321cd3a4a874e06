"""archsim: a cycle-level simulator of LSTM accelerators. Start reading at `archsim.api.simulate`."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path


def _version(beside: Path) -> str:
    """The version in the pyproject.toml of the checkout that the package stands in, else that of the installed package.

    `beside` is the folder that holds the package. An editable install keeps the metadata of the day on which it was
    made, while journals of explorations and workers of a cluster are told apart by the version of the code that runs.
    """
    try:
        project = tomllib.loads((beside / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        if project["name"] == "archsim":
            return str(project["version"])
    except (OSError, KeyError, ValueError):  # no checkout, or the file of something else
        pass
    return metadata.version("archsim")


__version__ = _version(Path(__file__).resolve().parent.parent)
