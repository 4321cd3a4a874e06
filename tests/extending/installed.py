"""A worked example's package, installed for this process: its entry points are found as those of any package."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archsim.config.extensions import forget_extensions
from tests.extending.outside import install, section


@contextmanager
def installed(name: str, title: str, folder: Path) -> Iterator[None]:
    """Inside the block the package of a section is installed, in `folder`."""
    install(name, section(title), folder)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    forget_extensions()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for module in [module for module in sys.modules if module.partition(".")[0] == name]:
            del sys.modules[module]
        importlib.invalidate_caches()
        forget_extensions()
