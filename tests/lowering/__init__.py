"""Tests of archsim/lowering."""
