"""Both READMEs say the same: headings, blocks, commands, links and tables in the same order; and both are short."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")


def structure(text: str) -> list[str]:
    """What the lines are, in order: headings, blocks, rows of tables and paragraphs; not what they say."""
    found: list[str] = []
    block = False
    lines = text.splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("```"):
            block = not block
            found += [f"block {line[3:]}"] if block else []
        elif block or not line:
            continue
        elif line.startswith("#"):
            found.append("heading " + line.split()[0])
        elif line.startswith("|"):
            found.append("row")
        elif not before:
            found.append("paragraph")
    return found


def blocks(text: str) -> list[str]:
    """The code blocks without their comments, which are in the page's language."""
    found = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [re.sub(r" *(?<!\|)# .*$", "", block, flags=re.MULTILINE) for block in found]


def links(text: str) -> list[str]:
    return [target for target in re.findall(r"\]\(([^()\s]+)\)", text) if not target.startswith("README")]


def test_they_have_the_same_structure() -> None:
    assert structure(ENGLISH) == structure(CHINESE)
    assert structure(ENGLISH).count("heading ##") == 4


def test_they_have_the_same_blocks_and_commands() -> None:
    assert blocks(ENGLISH) == blocks(CHINESE)
    assert sum(block.count("archsim ") for block in blocks(ENGLISH)) >= 9


def test_they_have_the_same_links_and_one_to_the_other() -> None:
    assert links(ENGLISH) == links(CHINESE)
    assert "](README.zh-CN.md)" in ENGLISH
    assert "](README.md)" in CHINESE


def test_both_are_under_120_lines() -> None:
    for text in (ENGLISH, CHINESE):
        assert len(text.splitlines()) < 120
        assert len(re.findall(r"\bDRAM ==> weight SRAM\b", text)) == 1, "one picture"


def test_the_other_language_is_chinese() -> None:
    """Every paragraph, every row but rules of tables, every comment of a command."""
    outside = re.sub(r"^```.*?^```", "", CHINESE, flags=re.MULTILINE | re.DOTALL)
    for line in filter(None, outside.splitlines()):
        assert re.search(r"[\u4e00-\u9fff]", line) or re.fullmatch(r"# archsim|\[English\].*|[|-]+", line), line
    for comment in re.findall(r"archsim .*?# (.*)", CHINESE):
        assert re.search(r"[\u4e00-\u9fff]", comment)


def test_a_missing_command_would_be_noticed() -> None:
    assert blocks(ENGLISH) != blocks(CHINESE.replace("archsim list", "archsim lists"))
    assert structure(ENGLISH) != structure(CHINESE.replace("\n## ", "\n### ", 1))
