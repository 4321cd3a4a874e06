"""The outside witnesses: optional on a user's machine, required where CI=true."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from types import ModuleType

import pytest


def required(name: str) -> ModuleType:
    """The module; where it is missing a skip with the reason, and with CI=true a failure."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{missing}: with CI=true every witness must be there")
        pytest.skip(f"{missing}: no witness to compare with")


@pytest.fixture(scope="session")
def require() -> Callable[[str], ModuleType]:
    return required


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    module = required("torch")
    module.set_num_threads(1)
    return module


@pytest.fixture(scope="session")
def onnx() -> ModuleType:
    required("onnx.reference")
    return required("onnx")


@pytest.fixture(scope="session")
def onnxruntime(onnx: ModuleType) -> ModuleType:
    """Together with onnx, which writes the models that onnxruntime runs."""
    return required("onnxruntime")
