"""Machines that work on hidden units one after the other, with one multiplier for each gate."""
