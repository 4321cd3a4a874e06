"""The outside witnesses: optional on a user's machine, required where ARCHSIM_FULL=1."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from tests.optional import need


@pytest.fixture(scope="session")
def require() -> Callable[[str], ModuleType]:
    return need


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    module = need("torch")
    module.set_num_threads(1)
    return module


@pytest.fixture(scope="session")
def onnx() -> ModuleType:
    need("onnx.reference")
    return need("onnx")


@pytest.fixture(scope="session")
def onnxruntime(onnx: ModuleType) -> ModuleType:
    """Together with onnx, which writes the models that onnxruntime runs."""
    return need("onnxruntime")
