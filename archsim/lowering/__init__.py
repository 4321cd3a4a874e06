"""Brings a workload's tensors into a program's memories, and results back out."""
