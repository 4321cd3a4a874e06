"""Reads torch files, weights only."""
