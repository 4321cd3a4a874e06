"""The site: links of pages become links of the site, and what leads nowhere ends the build."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.optional import need
from tests.rings import exhaustive
from tools.docs.site import PAGES, site_links

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("energy.md", "[a](../DEVIATIONS.md#energy-and-area)", "[a](project/deviations.md#energy-and-area)"),
        ("microarchitecture/rules.md", "[a](../npu.md)", "[a](../npu.md)"),
        ("microarchitecture/rules.md", "[a](../../README.md)", "[a](../project/readme.md)"),
        ("project/readme.md", "![a](docs/figure_timeline.svg)", "![a](../figure_timeline.svg)"),
        ("project/readme.md", "[spaces](arch_configs/spaces)", "spaces"),
        ("examples/index.md", "[01_seed.py](01_seed.py)", "01_seed.py"),
        ("index.md", "`[a](../README.md)`", "`[a](../README.md)`"),
        ("index.md", "```\n[a](../README.md)\n```", "```\n[a](../README.md)\n```"),
        ("index.md", "[a](https://x.org/) [b](#here)", "[a](https://x.org/) [b](#here)"),
        ("index.md", "[a](nowhere.md)", "[a](nowhere.md)"),
    ],
)
def test_a_link_is_one_of_the_site(name: str, text: str, expected: str) -> None:
    assert site_links(text, name) == expected


def test_pages_outside_of_docs_exist() -> None:
    for path in PAGES:
        assert (ROOT / path).is_file()


def build(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    need("mkdocs")
    need("mkdocstrings")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder / "site")]
    return subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True, check=False)


@exhaustive
def test_it_is_built_without_a_warning(tmp_path: Path) -> None:
    """With search, and the reference from docstrings."""
    built = build(tmp_path)
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "site" / "search" / "search_index.json").is_file()
    assert "Simulate a workload on a machine" in (tmp_path / "site" / "reference.html").read_text(encoding="utf-8")
    for path in [*(ROOT / "docs").rglob("*.md")]:
        page = path.relative_to(ROOT / "docs").with_suffix(".html")
        assert (tmp_path / "site" / page).is_file(), page


@exhaustive
def test_versions_stand_beside_each_other(tmp_path: Path) -> None:
    """Two versions in a clone: each in a folder of its own, a menu of both, and the newer one as the default."""
    need("mkdocs")
    need("mike")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    # Their author is whoever calls mike: here somebody who has no name in the settings.
    who = {f"GIT_{kind}_{field}": "x@y" for kind in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")}
    beside = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for arguments in (["deploy", "0.1"], ["deploy", "--update-aliases", "0.2", "latest"], ["set-default", "latest"]):
        subprocess.run(["mike", *arguments], check=True, capture_output=True, cwd=clone, env=os.environ | who | beside)

    def file(path: str) -> str:
        shown = ["git", "show", f"gh-pages:{path}"]
        return subprocess.run(shown, check=True, capture_output=True, text=True, cwd=clone).stdout

    assert [(each["version"], each["aliases"]) for each in json.loads(file("versions.json"))] == [
        ("0.2", ["latest"]),
        ("0.1", []),
    ]
    assert "latest/" in file("index.html")
    assert "Energy, area and traffic" in file("0.1/energy.html")
    assert '"version": {"provider": "mike"}' in file("0.2/energy.html")


@exhaustive
@pytest.mark.parametrize("text", ["[a](nowhere.md)", "[a](energy.md#no-such-heading)"])
def test_a_link_to_nothing_ends_the_build(text: str, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text(f"# Home\n\n{text}\n")
    (docs / "energy.md").write_text("# Energy\n")
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    kept = settings.split("nav:\n  - index.md")[0].replace("hooks: [tools/docs/site.py]\n", "")
    (tmp_path / "mkdocs.yml").write_text(kept)
    built = build(tmp_path, "--config-file", str(tmp_path / "mkdocs.yml"))
    assert built.returncode == 1
    assert "contains a link" in built.stderr
