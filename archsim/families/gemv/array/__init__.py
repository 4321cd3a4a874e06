"""The MAC array: its ops, its cycles, its arithmetic and what it is built of."""
