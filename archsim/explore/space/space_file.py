"""Loads space files: reads, validates and checks them against the architecture, every fault at once."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archsim.config import Document, Override, load_document, validate
from archsim.config.file_kind import kind_of_keys
from archsim.config.presets import PresetKind, find_file
from archsim.config.text import KeyPath, dotted, one_line, shown
from archsim.errors import ArchError, ArchsimError, Fault, FaultsError, SpaceError, WorkloadError
from archsim.explore.space.expression import Expression, ExpressionError, parse_expression
from archsim.explore.space.fields import Data, apply_value, known_path, normalized
from archsim.explore.space.names import Names, check_names, not_of_frames, of_cold_start, varied_by
from archsim.explore.space.number_field import Accepted, number_field
from archsim.explore.space.objectives import SHORT_NAMES, STREAM_NAMES, Objective, named
from archsim.explore.space.parameters import SCHEDULE, Choice, Parameter, label_of, range_values
from archsim.explore.space.rest import without_faults
from archsim.explore.space.section_models import section_value
from archsim.explore.space.space import Space, WeightedWorkload
from archsim.explore.space.space_config import ObjectiveConfig, SpaceConfig, WorkloadUse
from archsim.explore.space.workload_variants import WorkloadVariants, is_workload_field
from archsim.families.load import Arch, load_arch
from archsim.families.machine_config import MachineConfig
from archsim.families.schedules import find_schedule
from archsim.workload import Workload, load_workload


@dataclass(slots=True)
class _Faults:
    """Collects what is wrong, each with its line; `places`: where parts stand in the file, if not where they are."""

    document: Document
    places: Mapping[KeyPath, KeyPath] = field(default_factory=dict)
    found: list[tuple[int, Fault]] = field(default_factory=list)

    def add(self, path: KeyPath, message: str) -> None:
        path = (*self.places.get(path[:2], path[:2]), *path[2:])
        prefixes = (path[:length] for length in range(len(path), -1, -1))
        line = next((self.document.lines[p] for p in prefixes if p in self.document.lines), 1)
        self.found.append((line, Fault(f"{self.document.source}:{line}", dotted(path), message)))

    def error(self) -> SpaceError:
        ordered = sorted(self.found, key=lambda item: item[0])
        return SpaceError(tuple(dict.fromkeys(fault for _, fault in ordered)))


FIXED_FIELDS = ("streaming", "summary")
"""Fields of workloads that no space varies: streams have other figures than runs."""

_INSTEAD = {
    PresetKind.ARCH: "is an architecture, not a design space; type: archsim run {0}, or name it in a space (key "
    "architecture)",
    PresetKind.WORKLOAD: "is a workload, not a design space; type: archsim run ARCH {0}, or name it in a space (key "
    "workloads)",
}
"""What is said of a file of another kind."""


def load_space(reference: str) -> Space:
    """Load the space of a preset's name or a file's path; SpaceError has all faults at once."""
    path = find_file(PresetKind.SPACE, reference, SpaceError)
    document = load_document(path, SpaceError)
    kind = kind_of_keys(document.data)
    if kind in _INSTEAD:
        raise SpaceError((Fault(document.source, "", _INSTEAD[kind].format(one_line(document.source))),))
    try:
        config = validate(SpaceConfig, document, (), SpaceError)
    except SpaceError as error:
        raise SpaceError((*error.faults, *_further(document, path, error))) from None
    return _checked(config, _Faults(document), path, reference)


def _further(document: Document, path: Path, error: SpaceError) -> tuple[Fault, ...]:
    """What else is wrong with a file, apart from the parts whose form the error is about."""
    rest, places = without_faults(document, error.faults)
    try:
        config = validate(SpaceConfig, rest, (), SpaceError)
    except SpaceError:  # without them it is no space any more
        return ()
    try:
        _checked(config, _Faults(rest, places), path, "")
    except SpaceError as further:
        return further.faults
    return ()


def _checked(config: SpaceConfig, faults: _Faults, path: Path, reference: str) -> Space:
    """The space, if all that it names exists and fits together; SpaceError if not."""
    arch, arch_reference = _architecture(config, path, faults)
    workloads = tuple(_workloads(config, path, faults))
    if arch is None:
        for number, text in enumerate(config.constraints):
            _expression(text, ("constraints", number), faults)
        for name, text in config.derived.items():
            _expression(text, ("derived", name), faults)
        raise faults.error()
    base = _fixed(config, arch, faults)
    parameters = tuple(_parameters(config, base, workloads, faults))
    names = Names(base, varied_by(config), frozenset(p.path for p in parameters if p.of_workloads))
    derived = tuple(_derived(config, names, faults))
    works = _first_variant(workloads, parameters)
    constraints = tuple(_constraints(config, names, works, faults))
    objectives = tuple(_objectives(config, names, works, faults))
    schedule = _schedule(config, base, faults)
    if faults.found:
        raise faults.error()
    return Space(
        name=one_line(path.stem),
        source=reference,
        config=config,
        arch_name=arch.name,
        arch_reference=arch_reference,
        fixed=dict(config.set),
        base=base,
        workloads=workloads,
        schedule=schedule,
        parameters=parameters,
        derived=derived,
        constraints=constraints,
        objectives=objectives,
    )


def _architecture(config: SpaceConfig, path: Path, faults: _Faults) -> tuple[Arch | None, str]:
    reference = _relative(config.architecture, path)
    try:
        return load_arch(reference), reference
    except ArchError as error:
        _add_all(faults, ("architecture",), error)
        return None, reference


def _workloads(config: SpaceConfig, path: Path, faults: _Faults) -> Iterable[WeightedWorkload]:
    names: set[str] = set()
    for number, use in enumerate(config.workloads):
        named = use if isinstance(use, WorkloadUse) else WorkloadUse(workload=use)
        inline = ":" in named.workload and not named.workload.endswith((".yaml", ".yml"))
        reference = named.workload if inline else _relative(named.workload, path)
        try:
            workload = load_workload(reference)
        except WorkloadError as error:
            _add_all(faults, ("workloads", number), error)
            continue
        if workload.name in names:
            faults.add(("workloads", number), f"there is another workload of the name {shown(workload.name)}")
        names.add(workload.name)
        yield WeightedWorkload(workload, reference, named.weight)


def _relative(reference: str, space: Path) -> str:
    """The path made relative to the space file; a preset's name stays as it is."""
    is_path = "/" in reference or "\\" in reference or reference.endswith((".yaml", ".yml"))
    return str(space.parent / reference) if is_path else reference


def _fixed(config: SpaceConfig, arch: Arch, faults: _Faults) -> MachineConfig:
    """The architecture with the fields that the space sets in every point."""
    data = normalized(arch.config)
    overrides = [Override(name, json.dumps(value)) for name, value in config.set.items()]
    model = type(arch.config).model_for({*data, *(override.path.split(".")[0] for override in overrides)})
    try:
        return validate(model, Document(arch.name, data, {(): 1}), overrides, ArchError)
    except ArchError as error:
        for fault in error.faults:
            name = next((o.path for o in overrides if fault.where == str(o)), "")
            faults.add(("set", name) if name else ("set",), f"{fault.path}: {fault.message}")
        return arch.config


def _schedule(config: SpaceConfig, base: MachineConfig, faults: _Faults) -> str:
    """The schedule of points that do not choose one."""
    if config.schedule is not None and SCHEDULE in config.parameters:
        faults.add(("schedule",), "is a parameter too")
    try:
        return find_schedule(config.schedule, base.family).name
    except ArchsimError as error:
        faults.add(("schedule",), str(error).partition(": ")[2])
        return ""


def _first_variant(workloads: Sequence[WeightedWorkload], parameters: Sequence[Parameter]) -> Sequence[Workload]:
    """The workloads with the first value of each of their fields that is varied: they have the figures of all points.

    As they are in their files where that is none.
    """
    mine = [parameter for parameter in parameters if parameter.of_workloads]
    overrides = tuple(Override(p.path, json.dumps(p.choices[0].value)) for p in mine)
    found = WorkloadVariants([use.reference for use in workloads], with_files=False).of(overrides)
    return found.workloads or [use.workload for use in workloads]


def _parameters(
    config: SpaceConfig, base: MachineConfig, workloads: Sequence[WeightedWorkload], faults: _Faults
) -> Iterable[Parameter]:
    for path, given in config.parameters.items():
        where: KeyPath = ("parameters", path)
        of_workloads = path != SCHEDULE and not known_path(type(base), path) and is_workload_field(path)
        if path != SCHEDULE and not known_path(type(base), path) and not of_workloads:
            close = difflib.get_close_matches(path, _all_paths(normalized(base)), n=1)
            hint = f"; did you mean {close[0]}?" if close else "; see arch.yaml of any run for all fields"
            faults.add(where, f"there is no such field in the architecture{hint}")
            continue
        if of_workloads and path in FIXED_FIELDS:
            faults.add(where, "is the same in all points, which have the same figures then")
            continue
        if path in config.set:
            faults.add(where, "is set for all points under 'set' too")
        try:
            values = given if isinstance(given, tuple) else range_values(given)
        except ValueError as error:
            faults.add(where, str(error))
            continue
        if of_workloads:
            choices = [
                _workload_choice(path, value, workloads, (*where, number), faults)
                for number, value in enumerate(values)
            ]
        else:
            accepted = number_field(base, path)
            choices = [
                _number_choice(accepted, value) or _choice(path, value, base, (*where, number), faults)
                for number, value in enumerate(values)
            ]
        twice = next((label for label, count in Counter(choice.label for choice in choices).items() if count > 1), None)
        if twice is not None:
            faults.add(where, f"has the value {shown(twice)} twice")
        yield Parameter(path, tuple(choices), of_workloads)


def _workload_choice(
    path: str, value: object, workloads: Sequence[WeightedWorkload], where: KeyPath, faults: _Faults
) -> Choice:
    """The choice as the user wrote it; what is wrong with the value itself is a fault.

    What only does not go together with a workload's other fields may go together with other choices.
    """
    for use in workloads:
        try:
            load_workload(use.reference, (Override(path, json.dumps(value)),))
        except WorkloadError as error:
            for fault in error.faults:
                if fault.path == path or fault.path.startswith(f"{path}."):
                    faults.add(where, f"{fault.message} (workload {use.workload.name})")
    return Choice(label_of(value), value)


def _number_choice(accepted: Accepted, value: object) -> Choice | None:
    """The choice of a plain number that the field takes by itself; None for all others."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    found = accepted(value)
    return None if found is None else Choice(found, found)


def _choice(path: str, value: object, base: MachineConfig, where: KeyPath, faults: _Faults) -> Choice:
    """The choice as the architecture's validation normalizes it ("8MiB" to bytes, a set of formats to formats)."""
    if path == SCHEDULE:
        try:
            name = find_schedule(str(value), base.family).name
        except ArchsimError as error:
            faults.add(where, str(error).partition(": ")[2])
            name = str(value)
        return Choice(name, name)
    try:
        config = apply_value(normalized(base), path, value)
    except ArchError as error:
        # What is wrong with the value itself is a fault; what only does not go together with the base machine's other
        # fields may go together with other choices.
        for fault in error.faults:
            if fault.path == path or fault.path.startswith(f"{path}."):
                faults.add(where, fault.message)
        return Choice(label_of(value), section_value(base, path, value))
    found: Any = normalized(config)
    for part in path.split("."):
        found = found[part]
    return Choice(label_of(value if isinstance(found, dict) else found), found)


def _derived(config: SpaceConfig, names: Names, faults: _Faults) -> Iterable[tuple[str, Expression]]:
    for path, text in config.derived.items():
        where: KeyPath = ("derived", path)
        if not known_path(type(names.base), path):
            faults.add(where, "there is no such field in the architecture")
        if path in config.parameters or path in config.set:
            faults.add(where, "is a parameter, or set for all points, too")
        expression = _expression(text, where, faults)
        if expression is not None:
            _names(expression, names, where, faults, results=False)
            yield path, expression


def _constraints(
    config: SpaceConfig, names: Names, workloads: Sequence[Workload], faults: _Faults
) -> Iterable[Expression]:
    for number, text in enumerate(config.constraints):
        where: KeyPath = ("constraints", number)
        expression = _expression(text, where, faults)
        if expression is not None:
            _names(expression, names, where, faults, results=True)
            for message in not_of_frames(expression, workloads):
                faults.add(where, message)
            yield expression


def _objectives(
    config: SpaceConfig, names: Names, workloads: Sequence[Workload], faults: _Faults
) -> Iterable[Objective]:
    taken: set[str] = set()
    streams = [workload.spec.streaming for workload in workloads]
    words = STREAM_NAMES if streams and all(streams) else SHORT_NAMES
    for number, given in enumerate(config.objectives):
        where: KeyPath = ("objectives", number)
        text = _text_of(given)
        name = given.name or text
        if name in taken:
            faults.add(where, f"there is another objective of the name {shown(name)}")
        taken.add(name)
        expression = _expression(words.get(text, text), where, faults)
        if expression is not None:
            _names(expression, names, where, faults, results=True)
            for message in not_of_frames(expression, workloads):
                faults.add(where, message)
            cold = any(streams) and of_cold_start(expression)
            yield Objective(named(name, cold), expression, 1 if given.minimize is not None else -1)


def _text_of(given: ObjectiveConfig) -> str:
    return given.minimize if given.minimize is not None else str(given.maximize)


def _expression(text: str, where: KeyPath, faults: _Faults) -> Expression | None:
    try:
        return parse_expression(text)
    except ExpressionError as error:
        faults.add(where, f"{shown(text)}: {error}")
        return None


def _names(expression: Expression, names: Names, where: KeyPath, faults: _Faults, *, results: bool) -> None:
    for message in check_names(expression, names, results=results):
        faults.add(where, message)


def _add_all(faults: _Faults, where: KeyPath, error: FaultsError) -> None:
    for fault in error.faults:
        faults.add(where, str(fault))


def _all_paths(data: Data, prefix: str = "") -> list[str]:
    paths: list[str] = []
    for key, value in data.items():
        paths += _all_paths(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"]
    return paths
