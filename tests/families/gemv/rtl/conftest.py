"""What the models of one run of the tests have in common is compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.families.gemv.rtl.cases import need_verilator


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of Verilator's compiled runtime; skips where Verilator is missing."""
    need_verilator()
    return tmp_path_factory.mktemp("runtime")
