"""Tests of writing, comparing and synthesizing RTL, whatever the family."""
