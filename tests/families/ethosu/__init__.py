"""Tests of the family ethosu."""
