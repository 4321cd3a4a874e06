"""What to compute: the layer's sizes, its weights and its input."""

from archsim.workload.load import load_workload
from archsim.workload.spec import LstmSpec, Workload
from archsim.workload.tensors import LstmTensors, load_tensors

__all__ = ["LstmSpec", "LstmTensors", "Workload", "load_tensors", "load_workload"]
