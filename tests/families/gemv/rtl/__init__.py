"""Tests of the RTL of machines with one MAC array."""
