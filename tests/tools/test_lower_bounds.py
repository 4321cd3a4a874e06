"""The lowest versions that pyproject.toml allows, as constraints for pip."""

from __future__ import annotations

import tomllib

import pytest

from tools.lower_bounds import ROOT, lowest, main, requirements_of


def test_each_requirement_at_its_lower_bound() -> None:
    asked = ["numpy>=2.0", "h5py >= 3.11", "mkdocs>=1.6,<2", "mkdocstrings[python]>=0.27", "numpy>=2.0"]
    assert lowest(asked) == ["h5py==3.11", "mkdocs==1.6", "mkdocstrings==0.27", "numpy==2.0"]
    assert lowest(["hwcomponents>=1.0; python_version>='3.12'"]) == ["hwcomponents==1.0"]


@pytest.mark.parametrize(
    "requirement", ["numpy", "numpy==2.0", "numpy<3", "numpy~=2.0", "numpy; python_version>='3.12'"]
)
def test_a_requirement_without_a_lower_bound_is_a_fault(requirement: str) -> None:
    with pytest.raises(ValueError, match="no lower bound"):
        lowest([requirement])


def test_two_lower_bounds_of_a_package_are_a_fault() -> None:
    with pytest.raises(ValueError, match="onnx: two lower bounds, 1.16 and 1.17"):
        lowest(["onnx>=1.16", "onnx>=1.17"])


def test_every_extra_of_this_project_has_lower_bounds_that_agree() -> None:
    extras = tuple(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    found = lowest(requirements_of(ROOT / "pyproject.toml", extras))
    assert len(found) == len({line.split("==")[0] for line in found})


def test_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["onnx"])
    lines = capsys.readouterr().out.splitlines()
    assert "onnx==1.16" in lines
    assert "numpy==2.0" in lines
    assert lines == sorted(lines)
