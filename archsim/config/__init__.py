"""Reads strict configuration: YAML files to frozen pydantic models, with every fault at once and on its line.

`load_document` reads a file, `parse_override` a `--set`, and `validate` makes a model of both. Models
derive from `StrictModel` and use the field types `Bytes`, `Count`, `Cycles` and `PositiveNumber`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.config.allowed import Wording
    from archsim.config.document import Document, load_document, parse_document
    from archsim.config.overrides import Override, Overrides, as_overrides, parse_override
    from archsim.config.types import Bytes, Count, Cycles, PositiveNumber, StrictModel
    from archsim.config.validation import validate

__all__ = [
    "Bytes",
    "Count",
    "Cycles",
    "Document",
    "Override",
    "Overrides",
    "PositiveNumber",
    "StrictModel",
    "Wording",
    "as_overrides",
    "load_document",
    "parse_document",
    "parse_override",
    "validate",
]

_WHERE = {
    "allowed": ("Wording",),
    "document": ("Document", "load_document", "parse_document"),
    "overrides": ("Override", "Overrides", "as_overrides", "parse_override"),
    "types": ("Bytes", "Count", "Cycles", "PositiveNumber", "StrictModel"),
    "validation": ("validate",),
}
"""Where each stands: imported when it is first asked for, since --help and completion need names of presets alone."""


def __getattr__(name: str) -> Any:  # noqa: ANN401
    for module, names in _WHERE.items():
        if name in names:
            globals()[name] = found = getattr(import_module(f"archsim.config.{module}"), name)
            return found
    raise AttributeError(f"module 'archsim.config' has no attribute '{name}'")
