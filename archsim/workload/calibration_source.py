"""Finds where a workload's ranges come from: a file that it names, or an input that they are observed on."""

from __future__ import annotations

from collections.abc import Iterator

from archsim.errors import Fault, WorkloadError
from archsim.formats import Formats, NumberFormat, Scaled, parse_format
from archsim.formats.scaling import Method
from archsim.workload.calibration import Calibration, needed_ranges, read_calibration
from archsim.workload.config import CalibrationConfig
from archsim.workload.files import tensor_shape
from archsim.workload.network import NetworkSpec
from archsim.workload.spec import Workload
from archsim.workload.tensors import Float32Array, load_input


def saved_calibration(workload: Workload, formats: Formats) -> Calibration | None:
    """The calibration in the file that the workload names; None if it names none.

    WorkloadError if the file cannot be read, was made by other methods than the workload asks for, lacks a range that
    the formats need, or has one that was chosen for a format it does not serve.
    """
    section = workload.config.calibration
    if section.file is None:
        return None
    path = workload.folder / section.file
    found = read_calibration(path)
    faults = [*_other_methods(section, found, str(path)), *_unfit_ranges(workload.spec, formats, found, str(path))]
    if faults:
        raise WorkloadError(tuple(faults))
    return found


def _other_methods(section: CalibrationConfig, found: Calibration, where: str) -> Iterator[Fault]:
    for field in ("method", "percentile", "weight_method"):
        asked, has = getattr(section, field), getattr(found, field)
        if field in section.model_fields_set and asked != has:
            message = (
                f"the file has {has}, the workload's calibration {asked}; make the file again with archsim calibrate, "
                f"or leave {field} out of the workload"
            )
            yield Fault(where, field, message)


def _unfit_ranges(spec: NetworkSpec, formats: Formats, found: Calibration, where: str) -> Iterator[Fault]:
    again = "make the file again with archsim calibrate and this architecture"
    needed = needed_ranges(spec, formats)
    missing = [name for name in needed if name not in found.ranges]
    if missing:
        listed = ", ".join(missing[:6]) + (", ..." if len(missing) > 6 else "")
        yield Fault(where, "ranges", f"no range of {listed}, which this workload's formats need; {again}")
    for name, number_format in needed.items():
        if name in found.ranges:
            made_for = parse_format(found.ranges[name].number_format)
            if found.ranges[name].scale is not None and not _same_codes(made_for, number_format):
                message = f"has the scale and zero point of {made_for}, but the format is {number_format}"
                yield Fault(where, f"ranges.{name}", message)
            elif not _serves(found.method, made_for, number_format):
                message = (
                    f"chosen by the method {found.method} for {made_for}, but the format is {number_format}; {again}"
                )
                yield Fault(where, f"ranges.{name}", message)


def _same_codes(made_for: NumberFormat, number_format: Scaled) -> bool:
    """Whether a format takes the scale and the zero point that were given for another: of the same codes."""
    if not isinstance(made_for, Scaled):
        return False
    wanted = (number_format.bits, number_format.asymmetric, number_format.power_of_two)
    return (made_for.bits, made_for.asymmetric, made_for.power_of_two) == wanted


def _serves(method: Method, made_for: NumberFormat, number_format: Scaled) -> bool:
    """Whether a range that was chosen for one format is what the method would choose for another.

    max asks nothing of the format; percentile whether it is symmetric; mse that, its bits, and the kind of its scales.
    """
    if method is Method.MAX:
        return True
    if not isinstance(made_for, Scaled) or made_for.asymmetric != number_format.asymmetric:
        return False
    same_codes = (made_for.bits, made_for.power_of_two) == (number_format.bits, number_format.power_of_two)
    return method is Method.PERCENTILE or same_codes


def calibration_input(workload: Workload) -> Float32Array | None:
    """The input x (T, B, I) that ranges are observed on, None if that is the workload's own.

    T and B are its own.
    """
    source = workload.config.calibration.input
    if source is None:
        return None
    spec = workload.spec
    steps, batch = source.steps or spec.steps, source.batch or spec.batch
    if source.file is not None:
        config = workload.config
        path = workload.folder / source.file
        shape = tensor_shape(path, source.tensor)
        if len(shape) != (3 if config.batched else 2) or 0 in shape:
            layout = ("(B, T, I)" if config.batch_first else "(T, B, I)") if config.batched else "(T, I)"
            raise WorkloadError((Fault(str(path), source.tensor, f"expected the shape {layout}, got {shape}"),))
        steps, batch = (shape[1], shape[0]) if config.batched and config.batch_first else (shape[0], shape[1])
        batch = batch if config.batched else 1
    return load_input(workload, source, steps, batch)[0]
