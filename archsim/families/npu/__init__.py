"""Machines whose vector units stand in a chain behind a matrix-vector unit."""
