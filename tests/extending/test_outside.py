"""What reads the pages' examples reads them right: files, entry points, commands, and what is shown of an output."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.extending.outside import Command, commands, install, run, sections, shows

PAGE = """# A page

## One

```python
# package/one.py
print("one")
```

```toml
[project.entry-points."archsim.schedules"]
eager = "package.one:EAGER"
```

```sh
python package/one.py
python -c \\
    "print('a', 'b')"
```

```text
a b
```

## Two

```sh
# not/a_file.py
```
"""


def test_a_section_becomes_a_package(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    found = sections(page)
    assert list(found) == ["One", "Two"]
    assert [block.path for block in found["One"]] == ["package/one.py", None, None, None]
    assert found["Two"][0].path is None
    install("one", found["One"], tmp_path)
    assert (tmp_path / "one-1.0.dist-info/entry_points.txt").read_text() == (
        "[archsim.schedules]\neager = package.one:EAGER\n"
    )
    first, second = commands(found["One"])
    assert first == Command("python package/one.py", "")
    assert second.shown == "a b\n"
    assert run(first.line, tmp_path).stdout == "one\n"
    assert run(second.line, tmp_path).stdout == "a b\n"
    where = "from importlib.metadata import entry_points as e; print(e(group='archsim.schedules')['eager'].value)"
    assert run(f'python -c "{where}"', tmp_path).stdout == "package.one:EAGER\n"


@pytest.mark.parametrize(
    ("shown", "fits"),
    [
        ("a\nb\nc", True),
        ("a  \nb\nc\n", True),
        ("a\nb", False),
        ("b\nc", False),
        ("a\n...", True),
        ("...\nc", True),
        ("...\nb\n...", True),
        ("...\nc\n...", True),
        ("a\n...\nc", True),
        ("a\nc", False),
        ("...\nb\n...\na\n...", False),
        ("...\nd\n...", False),
    ],
)
def test_what_a_page_shows(shown: str, fits: bool) -> None:
    assert shows(shown, "a\nb\nc\n") is fits
