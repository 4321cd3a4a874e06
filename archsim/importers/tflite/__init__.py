"""Reads .tflite files: float, hybrid and integer LSTMs."""
