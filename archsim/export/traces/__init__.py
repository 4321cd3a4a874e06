"""Traces of a run in the forms of viewers: Perfetto, VCD (GTKWave, Surfer) and Konata."""
