"""The families of machines, one package each, and what they have in common."""
