"""RTL of machines with one MAC array: hand-written modules (sv/), and the package that is generated for a program."""
