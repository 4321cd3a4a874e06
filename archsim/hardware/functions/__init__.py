"""Activation functions as hardware evaluates them: exactly, by tables, by line segments."""
