"""Looks at points in ranges, of which workers write the rows (docs/scale.md)."""
