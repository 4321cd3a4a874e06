"""Runs the command line: `python -m archsim`."""

from archsim.cli.main import main

main()
