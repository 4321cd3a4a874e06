"""Runs `archsim` in this process, in an empty folder; the packages that witness; random numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from archsim.cli.main import main
from tests.optional import need


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Command = Callable[..., Ended]
"""`archsim` with some arguments."""


@pytest.fixture
def archsim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr("sys.argv", ["archsim", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        captured = capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return Ended(caught.value.code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def onnx() -> ModuleType:
    return need("onnx")


@pytest.fixture(scope="session")
def onnxruntime() -> ModuleType:
    return need("onnxruntime")


@pytest.fixture(scope="session")
def h5py() -> ModuleType:
    return need("h5py")


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    module = need("torch")
    module.set_num_threads(1)
    return module


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)
