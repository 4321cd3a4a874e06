"""Executes a program: in simulated time (events), or by the recurrence of its steps in compiled code."""
