"""Columns on disk: the points of explorations that are too large for every figure of each to be kept."""
