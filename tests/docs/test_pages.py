"""The pages hang together: links and anchors resolve, the index is complete, numbers, tasks and versions agree."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest

import archsim

ROOT = Path(__file__).resolve().parents[2]
AT_THE_ROOT = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "DEVIATIONS.md")
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [*(ROOT / name for name in AT_THE_ROOT), ROOT / "README.zh-CN.md", ROOT / "examples" / "README.md", *DOCS]

LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    """The page without its code, in which brackets mean something else."""
    text = re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them; of equal headings the second has -1 at its end."""
    text = re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", text, flags=re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(next(a for a in (anchor, *(f"{anchor}-{n}" for n in range(1, 99))) if a not in found))
    return found


def links_of(page: Path) -> list[str]:
    """Targets of all links and images of a page that lie in this repository."""
    return [target for target in LINK.findall(prose_of(page)) if "://" not in target]


def broken(page: Path) -> list[str]:
    """What a reader of the page would click in vain."""
    wrong = []
    for link in links_of(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or not target.is_relative_to(ROOT):
            wrong.append(f"{link}: no such file")
        elif anchor and (target.suffix != ".md" or anchor not in anchors_of(target)):
            wrong.append(f"{link}: no such heading")
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_resolves(page: Path) -> None:
    assert broken(page) == []


def test_a_broken_link_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "b.md").write_text("# One thing: `x` (and more)\n\n```sh\n# no heading\n```\n## Twice\n## Twice\n")
    good = "[a](b.md) ![b](b.md#one-thing-x-and-more) [c](b.md#twice-1) [d](#here) [e](https://x.org/y.md) `[f](g.md)`"
    bad = "[a](c.md) [b](b.md#no-heading) [c](b.md#twice-2) [d](#there) [e](../b.md)"
    page = tmp_path / "a.md"
    page.write_text(f"# Here\n\n{good}\n\n{bad}\n")
    assert broken(page) == [
        "c.md: no such file",
        "b.md#no-heading: no such heading",
        "b.md#twice-2: no such heading",
        "#there: no such heading",
        "../b.md: no such file",
    ]


def test_links_are_found_at_all() -> None:
    """A pattern that matched nothing would find nothing broken."""
    assert {"docs/index.md", "docs/fidelity.md", "workloads/README.md"} <= set(links_of(ROOT / "README.md"))
    assert "explore_edge.png" in links_of(ROOT / "docs" / "explore.md")
    assert "#what-the-output-is-used-for" in links_of(ROOT / "docs" / "workloads.md")


def test_the_index_has_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links_of(index)}
    assert {page for page in PAGES if page != index} <= linked


def test_the_folder_of_timing_rules_lists_its_pages() -> None:
    index = ROOT / "docs" / "microarchitecture" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links_of(index)}
    assert set(index.parent.glob("*.md")) - {index} <= linked


def test_sections_that_pages_quote_beside_a_link_exist() -> None:
    """`[rules.md](rules.md), "Order"` names a heading of that page, or the italic beginning of a paragraph."""
    quotes = [
        (page, link, title)
        for page in DOCS
        for link, title in re.findall(r'\]\(([^()\s#]+\.md)\),\s"([^"]+)"', text_of(page))
    ]
    assert len(quotes) >= 5
    for page, link, title in quotes:
        target = text_of(page.parent / link)
        assert re.search(rf"^(#+ {re.escape(title)}$|\*{re.escape(title)}\.?\*)", target, flags=re.MULTILINE), (
            page,
            title,
        )


def test_sections_that_code_quotes_exist() -> None:
    """`docs/microarchitecture/rules.md, "Order"` in a docstring or a comment."""
    pattern = re.compile(r'(docs/[\w/]+\.md),\s+"([^"]+)"')
    quotes = [
        (path, page, title)
        for folder in ("archsim", "tests", "tools", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path != Path(__file__)
        for page, title in pattern.findall(text_of(path))
    ]
    assert len(quotes) >= 5
    for path, page, title in quotes:
        assert re.search(rf"^(#+ |\*){re.escape(title)}", text_of(ROOT / page), flags=re.MULTILINE), (path, page, title)


def test_pages_that_code_names_exist() -> None:
    for folder in ("archsim", "tests", "tools", "benchmarks", "arch_configs"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".yaml") and path != Path(__file__):
                for page in re.findall(r"\bdocs/[\w/]+\.md", text_of(path)):
                    assert (ROOT / page).is_file(), f"{path.relative_to(ROOT)} names {page}"


def test_deviations_are_numbered_one_by_one() -> None:
    rows = re.findall(r"^\| D(\d+) \|.*\|$", text_of(ROOT / "DEVIATIONS.md"), flags=re.MULTILINE)
    assert len(rows) >= 40
    assert [int(number) for number in rows] == list(range(1, len(rows) + 1))


def test_every_deviation_says_what_how_much_and_where() -> None:
    for row in re.findall(r"^\| D\d+ \|.*$", text_of(ROOT / "DEVIATIONS.md"), flags=re.MULTILINE):
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 5, row
        assert all(cells), row
        assert LINK.search(cells[-1]), f"no link to where it is: {row}"


def test_references_to_deviations_exist() -> None:
    numbers = re.findall(r"^\| (D\d+) \|", text_of(ROOT / "DEVIATIONS.md"), flags=re.MULTILINE)
    for page in PAGES:
        assert set(re.findall(r"\bD\d+\b", prose_of(page))) <= set(numbers), page


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), flags=re.MULTILINE))


def test_tasks_that_pages_name_are_targets() -> None:
    named = set(re.findall(r"`make ([a-z]+)`", "".join(map(text_of, PAGES))))
    assert {"check", "fast", "full", "docs", "bench"} <= named
    assert named <= makefile_targets()


def test_every_task_is_phony_and_has_a_line_of_help() -> None:
    makefile = text_of(ROOT / "Makefile")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    assert set(phony.split()) == makefile_targets()
    assert set(re.findall(r"^([a-z]+):.*## \S", makefile, flags=re.MULTILINE)) == makefile_targets()


def test_modules_that_pages_run_exist() -> None:
    """`python -m tools.docs.generate` and the like, in all pages and in the Makefile."""
    texts = [*map(text_of, PAGES), text_of(ROOT / "Makefile")]
    modules = {module for text in texts for module in re.findall(r"python -m\s+(tools(?:\.[a-z]\w*)+)", text)}
    assert "tools.docs.generate" in modules
    for module in modules:
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


def test_there_is_one_version() -> None:
    declared = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["version"]
    headings = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert archsim.__version__ == declared == headings[0]
    assert headings == sorted(headings, key=lambda text: [int(part) for part in text.split(".")], reverse=True)


def test_the_command_line_prints_the_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from archsim.cli.main import main

    monkeypatch.setattr("sys.argv", ["archsim", "--version"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"archsim {archsim.__version__}\n"


def test_the_version_is_that_of_the_code_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the checkout if there is one; of another project's file, or without one, what is installed."""
    monkeypatch.setattr("importlib.metadata.version", lambda name: f"{name} as installed")
    assert archsim._version(tmp_path) == "archsim as installed"
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "archsim"\nversion = "9.8.7"\n')
    assert archsim._version(tmp_path) == "9.8.7"
    for other in ('[project]\nname = "other"\nversion = "1"\n', "[tool.x]\n", "[project\n"):
        (tmp_path / "pyproject.toml").write_text(other)
        assert archsim._version(tmp_path) == "archsim as installed"
