"""Small workloads that are calibrated, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archsim.checking.calibrate import calibrate
from archsim.errors import WorkloadError
from archsim.formats import Formats
from archsim.workload import Workload, load_tensors
from archsim.workload.calibration import Calibration
from archsim.workload.config import WorkloadConfig

INT8 = Formats.model_validate("int8")
ASYMMETRIC = Formats.model_validate({"all": "int8", "input": "int8/asymmetric", "hidden": "int8/asymmetric"})
FLOAT32 = Formats.model_validate("float32")


def loaded(folder: Path, **sections: Any) -> Workload:
    """A workload of the sections of a file in a folder."""
    sizes = {"kind": "lstm", "input_size": 3, "hidden_size": 2, "steps": 4, "batch": 1}
    numbers = {"weights": {"seed": 0}, "input": {"seed": 1}}
    text = json.dumps({"summary": "a test's network", **sizes, **numbers, **sections})
    return Workload("network", "a test's network", folder, WorkloadConfig.model_validate_json(text))


def of(workload: Workload, formats: Formats = INT8) -> Calibration:
    return calibrate(workload, load_tensors(workload), formats)


def fault(workload: Workload, formats: Formats = INT8) -> str:
    with pytest.raises(WorkloadError) as caught:
        of(workload, formats)
    return str(caught.value)
