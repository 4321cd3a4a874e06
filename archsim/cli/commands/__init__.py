"""The commands, one a file: their arguments, and what each asks of the library and prints."""
