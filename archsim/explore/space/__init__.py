"""A design space: its file, parameters, expressions and objectives."""
