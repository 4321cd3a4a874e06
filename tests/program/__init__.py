"""Tests of archsim/program."""
