"""The units of a machine, one file for each kind."""
