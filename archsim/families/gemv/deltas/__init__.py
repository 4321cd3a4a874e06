"""Delta networks on a MAC array: chunks in which no element has changed are skipped (docs/delta.md)."""
