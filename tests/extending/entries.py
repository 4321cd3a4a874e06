"""Entry points of a package that is not there, for tests in one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint

import pytest

from archsim.config import extensions


class _Entry(EntryPoint):
    """An entry that loads an object, wherever it is."""

    __slots__ = ()
    objects: dict[str, object] = {}  # noqa: RUF012 - one for all, emptied by `offered`

    def load(self) -> object:
        """The object of its name."""
        return self.objects[self.name]


@contextmanager
def offered(group: str, **objects: object) -> Iterator[None]:
    """Within it an installed package offers these objects under the group, by these names."""
    entries = [_Entry(name, f"elsewhere:{name}", group) for name in objects]
    _Entry.objects = objects
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extensions, "entry_points", lambda group: [entry for entry in entries if entry.group == group])
        extensions.forget_extensions()
        yield
    extensions.forget_extensions()
    _Entry.objects = {}
