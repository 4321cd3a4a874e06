"""Reads the recurrent layers of Keras models."""
