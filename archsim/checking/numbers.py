"""Prepares the arithmetic of a run: tensors, ranges, encodings, and what its results are compared with."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.checking.calibrate import calibrate
from archsim.checking.golden_run import Golden, golden_run
from archsim.checking.pruning import Pruning, prune
from archsim.errors import Fault, WorkloadError
from archsim.families.machine_config import MachineConfig
from archsim.formats import KINDS, Formats, Scaled
from archsim.hardware.datapath import Datapath
from archsim.hardware.numerics import Numerics, Overflows
from archsim.hardware.unit import Units
from archsim.lowering.encodings import Encodings, program_encodings
from archsim.lowering.tensors import Results, dram_image, results
from archsim.program.ir import Program
from archsim.program.sparsity import DENSE
from archsim.program.state import State
from archsim.workload import NetworkSpec, NetworkTensors, Workload, load_tensors
from archsim.workload.calibration import Calibration

MAX_TRACE_BYTES = 1 << 32
"""Most bytes of a golden model's trace that a run keeps (4 GiB)."""

_TRACED_NUMBERS = 16
"""Float64 numbers that a trace holds for each hidden unit, time step and sequence, at most."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Everything about a run's numbers that is known before it. `calibration` is None if no format needs one.

    `tensors` and `golden` have the weights that the machine keeps; `model` is the golden model's run with all of them,
    the same where none was pruned. `pruning`: what that was; None on a machine that keeps all weights.
    """

    program: Program
    spec: NetworkSpec
    formats: Formats
    tensors: NetworkTensors
    golden: Golden
    calibration: Calibration | None
    encodings: Encodings
    model: Golden
    pruning: Pruning | None

    def begin(self, units: Units) -> Computation:
        """Start a computation: buffers filled with the workload's tensors, nothing computed yet."""
        overflows = Overflows()
        image = dram_image(self.program, self.tensors, self.spec, self.encodings, overflows)
        state = State(self.program, image, self.spec.steps, self.encodings)
        return Computation(self, state, Datapath(units, Numerics(self.encodings, overflows)), overflows)


@dataclass(frozen=True, slots=True)
class Computation:
    """The state and arithmetic of one run."""

    numbers: Numbers
    state: State
    datapath: Datapath
    overflows: Overflows

    def results(self) -> Results:
        """What the run has left in DRAM."""
        return results(self.numbers.program, self.state, self.numbers.spec, self.numbers.encodings)


def prepare(
    program: Program, arch: MachineConfig, workload: Workload, tensors: NetworkTensors | None = None
) -> Numbers:
    """Load the tensors (if none are given), run the golden model on them, and choose scales from its values.

    WorkloadError for unusable tensors, or a run so long that its trace would not fit.
    """
    spec, formats = workload.spec, arch.formats
    tensors = load_tensors(workload) if tensors is None else tensors
    given, pruning = tensors, None
    if arch.weight_sparsity is not DENSE:
        tensors, pruning = prune(given, arch.weight_sparsity)
    pruned = tensors is not given
    traced = pruned or not (formats.float32 and arch.function_unit.method.exact)
    if traced:
        _refuse_long(workload, spec)
    golden = golden_run(tensors, spec, traced=traced)
    model = golden_run(given, spec, traced=traced) if pruned else golden
    pruning = pruning and pruning.with_output(golden.output, model.output, spec.lengths)
    calibration = None
    if any(isinstance(formats.format(kind), Scaled) for kind in KINDS):
        assert golden.traces is not None
        calibration = calibrate(workload, tensors, formats, golden.traces)
    encodings = program_encodings(program, spec, formats, tensors, calibration)
    return Numbers(program, spec, formats, tensors, golden, calibration, encodings, model, pruning)


def _refuse_long(workload: Workload, spec: NetworkSpec) -> None:
    units = sum(cell.hidden_size for cell in spec.cells)
    need = spec.steps * spec.batch * units * _TRACED_NUMBERS * 8
    if need > MAX_TRACE_BYTES:
        message = (
            f"accuracy is measured against the golden model at every step, and {spec.steps:,} steps x "
            f"{spec.batch:,} sequences x {units:,} hidden units of it take {need / 2**30:.1f} GiB, more than "
            f"{MAX_TRACE_BYTES / 2**30:g} GiB: use fewer steps, or --timing-only"
        )
        raise WorkloadError((Fault(workload.source, "steps", message),))
