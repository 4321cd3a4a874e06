"""The command `archsim list`: what there is."""

from __future__ import annotations

import json as json_text
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.completion import complete_kind
from archsim.cli.options import DebugOption, JsonOption
from archsim.errors import ExtensionError

if TYPE_CHECKING:
    from archsim.config.listed import Entries, Section


def list_command(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[KIND]",
            help="Only these: machines, workloads, activities, schedules, spaces, units, technologies, methods, drams, "
            "formats, statistics or importers.",
            show_default=False,
            autocompletion=complete_kind,
        ),
    ] = "",
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List presets, schedules and components, with a line each, and what installed packages add to them."""
    from archsim.cli.known_catalogue import known_catalogue
    from archsim.config.listed import Listed

    kinds = list(Listed)
    if what and what not in kinds:
        raise typer.BadParameter(f"there is no list of '{what[:40]}'; allowed: {', '.join(kinds)}")
    found = known_catalogue()
    parts = [part for part in found.parts if not what or part.kind == what]
    if json:
        wanted = [kind for kind in kinds if not what or kind == what]
        listed = {kind.value: _as_data([part for part in parts if part.kind is kind]) for kind in wanted}
        sys.stdout.write(json_text.dumps(listed, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("".join(map(_as_text, parts)))
    if found.broken:
        sys.stdout.flush()  # the list comes before what is wrong
        raise ExtensionError("\n".join(found.broken))


def _as_data(parts: list[Section]) -> list[dict[str, str]]:
    """Every entry by itself, with the title of its section."""
    return [{"name": name, "about": about, "section": part.title} for part in parts for name, about in part.entries]


def _as_text(part: Section) -> str:
    entries = _grouped(part.entries)
    width = max((len(name) for name, _ in entries), default=0)
    return f"{part.title}\n" + "".join(f"  {name:<{width}}  {about}\n" for name, about in entries) + "\n"


def _grouped(entries: Entries) -> Entries:
    """The entries, with one line for all that are others with the same words added to the name and to what is said.

    So twenty schedules, which are eight with some of three endings, take eleven lines.
    """
    bases: Entries = []
    added: dict[tuple[str, str], list[str]] = {}
    for name, about in entries:
        base = next((b for b in bases if name.startswith(b[0]) and about.startswith(f"{b[1]}; ")), None)
        if base is None:
            bases.append((name, about))
        else:
            added.setdefault((name.removeprefix(base[0]), about.removeprefix(f"{base[1]}; ")), []).append(base[0])
    lines = list(bases)
    for (ending, about), of in added.items():
        without = [name for name, _ in bases if name not in of]
        those = f"those above but {', '.join(without)}" if without else "all of those above"
        lines.append((f"...{ending}", f"{those if len(of) > 1 else of[0]}: {about}"))
    return lines
