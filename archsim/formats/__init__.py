"""Number formats: how each kind of data is stored and computed."""

from archsim.formats.config import Formats
from archsim.formats.number import FORMATS, Float32, NumberFormat, parse_format

__all__ = ["FORMATS", "Float32", "Formats", "NumberFormat", "parse_format"]
