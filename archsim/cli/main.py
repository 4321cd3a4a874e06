"""The entry point of the command line: its commands, and what becomes of errors."""

from __future__ import annotations

import io
import signal
import sys
from typing import Annotated, Any

import typer

from archsim.cli.calibrate import calibrate_command
from archsim.cli.compare import compare_command
from archsim.cli.exit_codes import EXIT_BUG, EXIT_INTERRUPTED, EXIT_USER
from archsim.cli.explain import explain_command
from archsim.cli.explore import explore_command
from archsim.cli.fidelity import fidelity_command
from archsim.cli.importing import import_command
from archsim.cli.listing import list_command
from archsim.cli.program import program_command, trace_command
from archsim.cli.rerun import rerun_command
from archsim.cli.rtl import rtl_command
from archsim.cli.run import run_command
from archsim.cli.validate import validate_command
from archsim.cli.whatif import whatif_command
from archsim.errors import ArchsimError, Interrupted, SimulatorBug

app = typer.Typer(
    name="archsim",
    help="Cycle-level simulator of LSTM accelerators: latency, utilization and traffic, with the arithmetic checked.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run_command)
app.command("validate")(validate_command)
app.command("program")(program_command)
app.command("trace")(trace_command)
app.command("explain")(explain_command)
app.command("whatif")(whatif_command)
app.command("compare")(compare_command)
app.command("rerun")(rerun_command)
app.command("explore")(explore_command)
app.command("list")(list_command)
app.command("fidelity")(fidelity_command)
app.command("import")(import_command)
app.command("calibrate")(calibrate_command)
app.command("rtl")(rtl_command)


def _version(asked: bool) -> None:
    if asked:
        from archsim import __version__

        print(f"archsim {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


_USAGE_ERROR: Any = typer.BadParameter.__base__
"""What typer raises for any wrong command line; it does not export the class itself."""


def main() -> None:
    """Run the command line and exit: 0 good, 1 wrong numbers, 2 the user's fault, 3 ours."""
    _prepare_streams()
    try:
        code = app(standalone_mode=False)
        if code == EXIT_INTERRUPTED:  # what typer makes of Ctrl-C
            raise KeyboardInterrupt
    except Interrupted as stop:
        print(f"archsim: {stop}", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except ArchsimError as error:
        _fail(error, str(error), EXIT_USER)
    except SimulatorBug as error:
        _fail(error, f"this is a bug in archsim (--debug shows where): {error}", EXIT_BUG)
    except (KeyboardInterrupt, typer.Abort):
        print("archsim: interrupted; no results were written", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except OSError as error:
        _fail(error, f"cannot write to the terminal, file or pipe: {error.strerror or error}", EXIT_USER)
    except Exception as error:
        if not isinstance(error, _USAGE_ERROR):
            raise
        message = error.format_message().rstrip(".")
        _fail(error, f"{message}{'' if message.endswith('?') else '.'} See {_command()} --help.", EXIT_USER)
    try:
        sys.stdout.flush()
    except OSError as error:
        _fail(error, f"cannot write the output: {error.strerror or error}", EXIT_USER)
    sys.exit(code or 0)


def _command() -> str:
    """The command whose help says more: "archsim run", or "archsim" where no command was given."""
    given = sys.argv[1:2]  # archsim itself has no option with a value that could stand before the command
    known = [command.name for command in app.registered_commands]
    return " ".join(["archsim", *(word for word in given if word in known)])


def _prepare_streams() -> None:
    """Make stdout and stderr safe to write to, whatever the caller did with them.

    Streams that a caller closed go nowhere; a character that a terminal does not have is escaped; a reader that goes
    away (`| head`) ends the process as it does any other tool.
    """
    if sys.stdout is None:
        sys.stdout = io.StringIO()
    if sys.stderr is None:
        sys.stderr = io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def _fail(error: Exception, message: str, code: int) -> None:
    if "--debug" in sys.argv[1:]:
        raise error
    for line in message.splitlines():
        print(f"archsim: error: {line}", file=sys.stderr)
    sys.exit(code)
