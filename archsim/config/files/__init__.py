"""Reads files that the user names, and writes files whole or not at all; keeps caches on disk."""
