"""The description of what to compute: layers, their weights, the input, and what the output is for."""

from archsim.workload.load import load_workload
from archsim.workload.network import CellKind, CellSpec, FunctionSpec, NetworkSpec, one_layer
from archsim.workload.spec import Workload
from archsim.workload.task import TaskTensors
from archsim.workload.tensors import CellTensors, NetworkTensors, load_tensors

__all__ = [
    "CellKind",
    "CellSpec",
    "CellTensors",
    "FunctionSpec",
    "NetworkSpec",
    "NetworkTensors",
    "TaskTensors",
    "Workload",
    "load_tensors",
    "load_workload",
    "one_layer",
]
