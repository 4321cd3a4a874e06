"""Machines with one MAC array for tiles of a GEMV."""
