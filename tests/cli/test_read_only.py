"""Files asked for in a read-only file system: the error names the file that was asked for, not its temporary name."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from archsim.cli.output import output
from archsim.errors import OutputError
from archsim.explore.results.study_folder import write_file
from archsim.importers.write import _write


def _text(file: Path) -> None:
    with output(file) as write:
        write("text")


WRITERS: dict[str, Callable[[Path], None]] = {
    "text": _text,
    "study": lambda file: write_file(file, b"text"),
    "import": lambda file: _write(file.with_name("model.onnx"), {file: b"text"}, file, force=False),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_read_only_file_system_is_said_of_the_file_asked_for(
    writer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux refuses there, by EROFS, to remove even a file that does not exist, before it looks for it."""

    def refuse(path: object, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    file = tmp_path / ("a.txt" if writer == "text" else "a.yaml")
    for name in ("open", "unlink", "write_bytes", "write_text"):
        monkeypatch.setattr(Path, name, refuse)
    with pytest.raises(OutputError) as caught:
        WRITERS[writer](file)
    assert str(caught.value).startswith(f"{file}: cannot ")
    assert "partial" not in str(caught.value)
