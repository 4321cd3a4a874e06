"""Reads files of named tensors (safetensors, npz, state dictionaries)."""
