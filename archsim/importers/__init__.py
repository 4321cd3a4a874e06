"""Reads the recurrent layers of model files (ONNX, torch, safetensors, npz, Keras) and writes them as workloads."""

from archsim.importers.chain import select
from archsim.importers.find import find_layers
from archsim.importers.found import Found, FoundLayer, Unsupported
from archsim.importers.write import InputSequence, read_input, write_workload

__all__ = [
    "Found",
    "FoundLayer",
    "InputSequence",
    "Unsupported",
    "find_layers",
    "read_input",
    "select",
    "write_workload",
]
