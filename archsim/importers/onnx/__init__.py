"""Reads the recurrent layers of ONNX models."""
