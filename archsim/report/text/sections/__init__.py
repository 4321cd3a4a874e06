"""The sections of a run's report as text, one a file."""
