"""The report as text: tables, sentences, the program's listing, a line a cycle."""
