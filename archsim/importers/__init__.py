"""Reads the recurrent layers of model files (ONNX, torch, safetensors, npz, Keras) and writes them as workloads."""

from archsim.importers.chain import select
from archsim.importers.find import find_layers
from archsim.importers.found import Found, FoundLayer, Refused, Unsupported, float32, layer_config
from archsim.importers.importer import Importer
from archsim.importers.listed import NothingFits
from archsim.importers.tensors.naming import Naming, load_naming
from archsim.importers.write import InputSequence, read_input, write_workload

__all__ = [
    "Found",
    "FoundLayer",
    "Importer",
    "InputSequence",
    "Naming",
    "NothingFits",
    "Refused",
    "Unsupported",
    "find_layers",
    "float32",
    "layer_config",
    "load_naming",
    "read_input",
    "select",
    "write_workload",
]
