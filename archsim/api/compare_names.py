"""Says what designs that are compared are called, so that two of one name are told apart."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.api.inputs import AnyArch, AnyWorkload
from archsim.errors import one_line
from archsim.families.load import Arch
from archsim.workload import Workload


def names_apart(given: Sequence[AnyArch] | Sequence[AnyWorkload]) -> list[str]:
    """Names of machines or workloads: what was given, or of what was loaded its own name.

    Where others of that name are not the same, what was set in each stands behind it; those that are still of one name
    are numbered from the second on.
    """
    names = [_name(one) for one in given]
    contents = [_content(one) for one in given]
    said = [
        f"{name} ({', '.join(one.overrides)})"
        if isinstance(one, Arch | Workload)
        and one.overrides
        and any(other == name and of_other != content for other, of_other in zip(names, contents, strict=True))
        else name
        for one, name, content in zip(given, names, contents, strict=True)
    ]
    seen: dict[str, list[object]] = {}
    found = []
    for name, content in zip(said, contents, strict=True):
        alike = seen.setdefault(name, [])
        if content not in alike:
            alike.append(content)
        place = alike.index(content)
        found.append(f"{name} #{place + 1}" if place else name)
    return found


def repeated_note(names: Sequence[str]) -> str:
    """A line on machines that are given twice; "" if there are none."""
    twice = ", ".join(dict.fromkeys(name for name in names if names.count(name) > 1))
    if not twice:
        return ""
    return (
        f"given more than once: {twice}; what is set is set in all machines, so to compare settings of one, give the "
        "folders of its runs"
    )


def _name(one: AnyArch | AnyWorkload) -> str:
    return one.name if isinstance(one, Arch | Workload) else one_line(str(one))


def _content(one: AnyArch | AnyWorkload) -> object:
    """What tells two of one name apart."""
    if isinstance(one, Workload):
        return one.config, one.folder
    return one.config if isinstance(one, Arch) else str(one)
