"""Evaluates the points of a space, in this process, local processes or on a cluster."""
