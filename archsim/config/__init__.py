"""Reads strict configuration: YAML files to frozen pydantic models, with every fault at once and on its line.

`load_document` reads a file, `parse_override` a `--set`, and `validate` makes a model of both. Models
derive from `StrictModel` and use the field types `Bytes`, `Count`, `Cycles` and `PositiveNumber`.
"""

from archsim.config.allowed import Wording
from archsim.config.document import Document, load_document, parse_document
from archsim.config.overrides import Override, parse_override
from archsim.config.types import Bytes, Count, Cycles, PositiveNumber, StrictModel
from archsim.config.validate import validate

__all__ = [
    "Bytes",
    "Count",
    "Cycles",
    "Document",
    "Override",
    "PositiveNumber",
    "StrictModel",
    "Wording",
    "load_document",
    "parse_document",
    "parse_override",
    "validate",
]
