"""Says what kind a file is by its keys, for messages to those who gave it in another one's place."""

from __future__ import annotations

from collections.abc import Collection

from archsim.config.presets import PresetKind


def kind_of_keys(keys: Collection[str]) -> PresetKind | None:
    """The kind of the file that has these keys: design space, architecture or workload; None if none for sure."""
    found = [
        kind
        for kind, marks in (
            (PresetKind.SPACE, {"parameters", "objectives"}),
            (PresetKind.ARCH, {"clock_mhz"}),
            (PresetKind.WORKLOAD, {"hidden_size"}),
        )
        if marks <= set(keys)
    ]
    return found[0] if len(found) == 1 else None
