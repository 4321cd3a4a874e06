"""The command `archsim docs`: the pages, in a checkout and in what a wheel holds."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from archsim.cli.commands.docs import find_pages, title_of
from tests.cli.conftest import Cli
from tests.rings import exhaustive

ROOT = Path(__file__).resolve().parents[2]


def test_all_pages_are_listed_with_their_titles(cli: Cli) -> None:
    listed = cli("docs").out.splitlines()
    pages = [*(ROOT / "docs").rglob("*.md")]
    assert len(listed) == len(pages) + 4 + 2  # README in two languages, DEVIATIONS, CHANGELOG; and where they lie
    assert listed[0].split() == ["README", "archsim"]
    (energy,) = (line for line in listed if line.startswith("energy "))
    assert energy.split(maxsplit=1)[1] == "Energy, area and traffic"
    assert all(map(title_of, find_pages(ROOT).values()))


def test_a_page_is_printed_as_it_is(cli: Cli) -> None:
    text = (ROOT / "docs" / "microarchitecture" / "rules.md").read_text(encoding="utf-8")
    for name in ("microarchitecture/rules", "docs/microarchitecture/rules.md"):
        assert cli("docs", name).out == text


@exhaustive
def test_a_wheel_holds_the_pages_and_what_they_link_to(tmp_path: Path) -> None:
    """A clone is built, so that nothing else of the checkout gets into it."""
    clone, wheels, package = tmp_path / "clone", tmp_path / "wheels", tmp_path / "package"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(wheels), str(clone)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = wheels.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(package)
    printed = [
        sys.executable,
        "-c",
        "from archsim.cli.commands.docs import *; print(documentation_root(), *find_pages(documentation_root()))",
    ]
    root, *names = subprocess.run(printed, check=True, capture_output=True, text=True, cwd=package).stdout.split()
    assert Path(root) == package / "archsim"
    assert names == list(find_pages(ROOT))
    assert (package / "archsim" / "examples" / "README.md").is_file()
