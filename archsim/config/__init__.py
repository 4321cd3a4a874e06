"""Reads strict configuration: YAML files to frozen pydantic models, with every fault at once and on its line.

`load_document` reads a file, `parse_override` a `--set`, and `validate` makes a model of both. Models
derive from `StrictModel` and use the field types `Bytes`, `Count`, `Cycles` and `PositiveNumber`.
"""

from archsim.config.allowed import Wording
from archsim.config.document import Document, load_document, parse_document
from archsim.config.overrides import Override, Overrides, as_overrides, parse_override
from archsim.config.types import Bytes, Count, Cycles, PositiveNumber, StrictModel
from archsim.config.validate import validate

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
