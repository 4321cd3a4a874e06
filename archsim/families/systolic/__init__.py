"""Machines with a weight-stationary systolic array."""
