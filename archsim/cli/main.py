"""The entry point of the command line: its commands, and what becomes of errors."""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import sys
import warnings
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from archsim.cli.commands.calibrate import calibrate_command
from archsim.cli.commands.compare import compare_command
from archsim.cli.commands.docs import docs_command
from archsim.cli.commands.explain import explain_command
from archsim.cli.commands.explore import explore_command
from archsim.cli.commands.fidelity import fidelity_command
from archsim.cli.commands.importing import import_command
from archsim.cli.commands.listing import list_command
from archsim.cli.commands.plot import plot_command
from archsim.cli.commands.program import program_command, trace_command
from archsim.cli.commands.report import report_command
from archsim.cli.commands.rerun import rerun_command
from archsim.cli.commands.rtl import rtl_command
from archsim.cli.commands.run import run_command
from archsim.cli.commands.technology import technology_command
from archsim.cli.commands.validate import validate_command
from archsim.cli.commands.whatif import whatif_command
from archsim.cli.ending_signals import EndingSignals
from archsim.cli.exit_codes import EXIT_BUG, EXIT_INTERRUPTED, EXIT_USER
from archsim.cli.out_of_memory import out_of_memory
from archsim.config.blas_threads import one_thread
from archsim.config.collecting import seldom_to_the_end
from archsim.config.presets import MAX_PATH_CHARACTERS
from archsim.config.text import one_line, shorten, without_jargon
from archsim.errors import ArchsimError, Interrupted, SimulatorBug

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

app = typer.Typer(
    name="archsim",
    help="Cycle-level simulator of LSTM accelerators: latency, utilization and traffic, with the arithmetic checked.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run", short_help="Simulate one design on one workload, and check its numbers.")(run_command)
app.command("validate", short_help="Check a schedule and its numbers: exit code 0 or 1.")(validate_command)
app.command("program", short_help="Print the schedule of a run, or export it as data.")(program_command)
app.command("trace", short_help="Print what every unit does in every cycle.")(trace_command)
app.command("explain", short_help="Say what a latency consists of, and what a step waits for.")(explain_command)
app.command("whatif", short_help="Measure what changing one thing of a design brings.")(whatif_command)
app.command("compare", short_help="Compare machines, or results of runs, in one table.")(compare_command)
app.command("rerun", short_help="Repeat a folder's run, and say whether anything differs.")(rerun_command)
app.command("plot", short_help="Draw a figure of a run for print: svg, pdf or png.")(plot_command)
app.command("report", short_help="Write one HTML page of a run, or of several side by side.")(report_command)
app.command("explore", short_help="Search a space of designs for its Pareto front.")(explore_command)
app.command("list", short_help="List machines, workloads, schedules, spaces and components.")(list_command)
app.command("docs", short_help="List the pages of the documentation, or print one.")(docs_command)
app.command("fidelity", short_help="Compare simulations of published machines with their figures.")(fidelity_command)
app.command("import", short_help="List a model file's recurrent layers, or make a workload of them.")(import_command)
app.command("calibrate", short_help="Observe the ranges of all tensors, for integer formats.")(calibrate_command)
app.command("technology", short_help="Set prices beside each other; make a file of HWComponents'.")(technology_command)
app.command("rtl", short_help="Write the machine as SystemVerilog; compare it, synthesize it.")(rtl_command)


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


_LONG_WORD = re.compile(rf"[^\s()'\":]{{{MAX_PATH_CHARACTERS + 1},}}")
"""A word that is longer than any path: messages do not repeat endless digits whole."""
_OF_STREAMS = (errno.ENOSPC, errno.EIO, errno.EPIPE, errno.EBADF)
"""What goes wrong with standard streams: a full disk behind them, a terminal or a reader that is gone."""

_USAGE_ERROR: Any = typer.BadParameter.__base__
"""What typer raises for any wrong command line; it does not export the class itself."""


def main() -> None:
    """Run the command line and exit: 0 good, 1 wrong numbers, 2 the user's fault, 3 ours, 128 + n by signal n."""
    one_thread(os.environ)  # NumPy is loaded by the commands that compute
    signals = EndingSignals()
    signals.take()
    try:
        seldom_to_the_end()  # modules, programs and figures live until then
        code = _run(signals)
    finally:
        signals.let_go()
    sys.exit(code)


def _run(signals: EndingSignals) -> int:
    """Run the command line; its exit code, or SystemExit with that of an error."""
    _prepare_streams()
    _prepare_warnings()
    if not sys.argv[1:]:
        sys.argv.append("--help")  # whoever types the name alone asks what there is
    try:
        code = app(prog_name="archsim", standalone_mode=False)
        if code == EXIT_INTERRUPTED:  # what typer makes of Ctrl-C
            raise KeyboardInterrupt
    except Interrupted as stop:
        print(f"archsim: {one_line(str(stop))}", file=sys.stderr)
        return signals.exit_code
    except ArchsimError as error:
        _fail(error, str(error), EXIT_USER)
    except SimulatorBug as error:
        _crash(error)
    except MemoryError as error:
        _fail_or_crash(error)
    except typer.Abort as stop:
        if isinstance(stop.__cause__, EOFError):  # typer takes any for the end of a dialogue, of which there is none
            _crash(stop.__cause__)
        return _interrupted(signals)
    except KeyboardInterrupt:
        return _interrupted(signals)
    except OSError as error:
        _fail_in_files(error)
    except Exception as error:
        if _by_interrupt(error):
            return _interrupted(signals)
        if not isinstance(error, _USAGE_ERROR):
            _fail_or_crash(error)
        message = without_jargon(error.format_message()).rstrip(".")
        _fail(error, f"{one_line(message)}{'' if message.endswith('?') else '.'} See {_command()} --help.", EXIT_USER)
    try:
        sys.stdout.flush()
    except OSError as error:
        _fail(error, f"cannot write the output: {error.strerror or error}", EXIT_USER)
    return code or 0


def _interrupted(signals: EndingSignals) -> int:
    print("archsim: interrupted; no results were written", file=sys.stderr)
    return signals.exit_code


def _by_interrupt(error: BaseException) -> bool:
    """Whether Ctrl-C is behind an error: libraries in C that are being loaded make one of their own of it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, KeyboardInterrupt) or str(seen).endswith("KeyboardInterrupt"):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _fail_in_files(error: OSError) -> NoReturn:
    """An error of the system: of which file it is, or that it is of the standard streams, which have no name."""
    reason = error.strerror or str(error)
    if error.errno == errno.ENOMEM:
        _fail_or_crash(error)
    if error.filename is not None:
        _fail(error, f"{one_line(str(error.filename))}: {reason}", EXIT_USER)
    if error.errno == errno.ENOENT and _is_nowhere():
        _fail(error, "the folder that you are in is not there any more", EXIT_USER)
    if error.errno in _OF_STREAMS:
        _fail(error, f"cannot write to the terminal, file or pipe: {reason}", EXIT_USER)
    _crash(error)


def _is_nowhere() -> bool:
    """Whether the current folder was removed: names of files mean nothing there."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _fail_or_crash(error: Exception) -> NoReturn:
    """An error that nobody raised for the user: memory that ends is no bug, and a line says where; all else is one."""
    if "--debug" in sys.argv[1:]:
        raise error
    where = out_of_memory(error)
    if where is None:
        _crash(error)
    needs = "a smaller model, fewer time steps or a smaller batch need less (--debug shows more)"
    _fail(error, f"out of memory in {where}: {needs}", EXIT_USER)


def _crash(error: BaseException) -> NoReturn:
    """An error that nobody foresaw is a bug of ours: a line, and a report for us in a file.

    One in the code of a package that adds to archsim is its author's: a line that says where.
    """
    if "--debug" in sys.argv[1:]:
        raise error
    from archsim.cli.blame import outside_place
    from archsim.cli.crash import write_report

    what = one_line(str(error) if isinstance(error, SimulatorBug) else f"{type(error).__name__}: {error}")
    place = outside_place(error)
    if place is not None:
        _fail(error, f"{place}: {what} (--debug shows more)", EXIT_USER)
    what = one_line(f"{type(error).__name__}: {error}")
    file = write_report(error, sys.argv[1:])
    where = f"; a report for its developers is in {file}" if file else ""
    print(f"archsim: error: this is a bug in archsim (--debug shows where): {what}{where}", file=sys.stderr)
    sys.exit(EXIT_BUG)


def _command() -> str:
    """The command whose help says more: "archsim run", or "archsim" where no command was given."""
    given = sys.argv[1:2]  # archsim itself has no option with a value that could stand before the command
    known = [command.name for command in app.registered_commands]
    return " ".join(["archsim", *(word for word in given if word in known)])


class _Forgiving(io.FileIO):
    """A stream for messages: where there is no room for one, the exit code alone says what happened."""

    def write(self, data: Buffer, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def _prepare_streams() -> None:
    """Make stdout and stderr safe to write to, whatever the caller did with them.

    Streams that a caller closed go nowhere; a character that a terminal does not have is escaped; a reader that goes
    away (`| head`) ends the process as it does any other tool. Messages for which stderr has no room are left out.
    """
    if sys.stdout is None:
        sys.stdout = io.StringIO()
    if sys.stderr is None:
        sys.stderr = io.StringIO()
    behind = getattr(sys.stderr, "buffer", None)
    if isinstance(sys.stderr, io.TextIOWrapper) and isinstance(getattr(behind, "raw", behind), io.FileIO):
        raw = _Forgiving(sys.stderr.fileno(), "w", closefd=False)
        sys.stderr = io.TextIOWrapper(io.BufferedWriter(raw), sys.stderr.encoding, line_buffering=True)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def _prepare_warnings() -> None:
    """Say as notes what a user should know, and nothing of what libraries warn their developers of."""
    from archsim.errors import CacheWarning, ClusterWarning, ExtensionWarning

    said: set[str] = set()

    def note(message: Warning | str, *rest: object, **more: object) -> None:
        if str(message) in said:  # "once" forgets what it has seen whenever a library changes filters
            return
        said.add(str(message))
        print(f"archsim: note: {one_line(str(message))}", file=sys.stderr)

    if "--debug" not in sys.argv[1:]:
        warnings.simplefilter("ignore")
        for kind in (CacheWarning, ClusterWarning, ExtensionWarning):
            warnings.simplefilter("once", kind)
        warnings.showwarning = note


def _shortened(word: re.Match[str]) -> str:
    return shorten(word[0], MAX_PATH_CHARACTERS)


def _fail(error: BaseException, message: str, code: int) -> NoReturn:
    if "--debug" in sys.argv[1:]:
        raise error
    for line in filter(None, message.split("\n")):
        print(f"archsim: error: {_LONG_WORD.sub(_shortened, one_line(line))}", file=sys.stderr)
    sys.exit(code)
