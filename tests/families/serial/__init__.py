"""Tests of machines that work on hidden units one after the other."""
