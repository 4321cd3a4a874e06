"""The number formats: how each kind of data is stored and computed (docs/numerics.md)."""

from archsim.formats.config import FORMAT_SETS, KINDS, Formats
from archsim.formats.encoding import Encoding
from archsim.formats.floating import Bfloat16, BlockFloat, Float16, Float32
from archsim.formats.integer import Fixed, Granularity, Scaled
from archsim.formats.number import Bit, FloatFormat, IntegerFormat, NumberFormat
from archsim.formats.parse import parse_format
from archsim.formats.rounding import Rounding

__all__ = [
    "FORMAT_SETS",
    "KINDS",
    "Bfloat16",
    "Bit",
    "BlockFloat",
    "Encoding",
    "Fixed",
    "Float16",
    "Float32",
    "FloatFormat",
    "Formats",
    "Granularity",
    "IntegerFormat",
    "NumberFormat",
    "Rounding",
    "Scaled",
    "parse_format",
]
