"""Keeps the programs that designs share, with what follows from each, in this process and on disk for the next."""
