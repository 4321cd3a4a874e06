"""Decides which points of a space are looked at, and which of them are best."""
