"""The notebooks of examples/ run from the first cell to the last, and bring no outputs along."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from tests.optional import need
from tests.rings import exhaustive

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.ipynb"))


@exhaustive
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    """In a kernel of its own, in an empty folder; a cell that fails is an error that shows it."""
    nbclient, nbformat = need("nbclient"), need("nbformat")
    need("ipykernel")
    notebook = nbformat.read(path, as_version=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
        client.execute()
    outputs = [cell["outputs"] for cell in notebook.cells if cell["cell_type"] == "code"]
    assert sum(map(bool, outputs)) >= 3
    assert len(json.dumps(outputs)) < 200_000, "what a reader gets to save is small"
    shown = [found for cell in outputs for found in cell if "image/png" in found.get("data", {})]
    assert len(shown) == 1, "each draws one picture"


def test_there_are_two() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["explore", "one_step"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_hold_no_outputs(path: Path) -> None:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
