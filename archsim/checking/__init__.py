"""Compares what a run computed with golden models and integer references, and says what formats cost."""
