"""The way of a workload's tensors into a program's memories, and of results back out."""
