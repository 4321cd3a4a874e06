"""The trained networks of docs/formats.md as workloads: one of the repository, two from wheels of PyPI."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from archsim.importers import InputSequence, find_layers, select, write_workload

if TYPE_CHECKING:
    import torch

from tests.importers.trained_models import RESEMBLYZER, UZMORPH, Trained, read_member

Float64 = npt.NDArray[np.float64]

WORDS = ("maktabimizda", "kitobim", "yozayapmiz", "olmalar")
"""The examples in the description of uzmorph-nn."""
WORD_LENGTH = 30
"""Letters to which uzmorph-nn pads a word."""
FRAMES = 80
"""Of the input of Resemblyzer: 0.8 s."""

RATE, WINDOW, HOP, BANDS = 16_000, 400, 160, 40
"""Resemblyzer's: samples a second; samples of a frame and between frames; bands of its mel spectrogram."""
LEVEL_DB = -30.0
"""Root mean square of the audio, to which Resemblyzer raises what is quieter."""
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240))
"""Formants in Hz of the vowels of father, heed and who'd: Peterson and Barney 1952, averages of men."""
VOWEL_SECONDS = 0.1
INPUT_BITS = 12
"""Bits of a computed input, so that it is the same with every mathematical library."""


@dataclass(frozen=True)
class Head:
    """What the package makes of the network's output: the layer behind it, float64; `letters` (B) of uzmorph-nn."""

    weight: Float64
    bias: Float64
    letters: tuple[int, ...] = ()


@dataclass(frozen=True)
class Model:
    """A network with its input as a workload: a preset's name or a file; silero_vad has its head in the workload."""

    name: str
    workload: str
    head: Head | None = None


def silero_vad(folder: Path, wheels: Path | None) -> Model:
    """The workload of the repository."""
    return Model("silero_vad", "silero_vad")


def resemblyzer(folder: Path, wheels: Path | None) -> Model:
    """The speaker encoder on synthetic vowels."""
    path = _unpacked(RESEMBLYZER, folder, wheels)
    x = shortened(mel_spectrogram(synthetic_voice(FRAMES)))
    workload = _written(path, InputSequence(FRAMES, 1, False, False, x=x.astype(np.float32)))
    tensors = _torch_tensors(path, "model_state")
    return Model("Resemblyzer", workload, Head(_array(tensors["linear.weight"]), _array(tensors["linear.bias"])))


def uzmorph_nn(folder: Path, wheels: Path | None) -> Model:
    """The morphological tagger on the words of its own description."""
    path = _unpacked(UZMORPH, folder, wheels)
    tensors = _torch_tensors(path)
    places = json.loads(read_member(UZMORPH, "uzmorph_nn/data/char_vocab.json", wheels))
    letters = [[places[letter] for letter in word] for word in WORDS]
    padded = np.array([word + [places["PAD"]] * (WORD_LENGTH - len(word)) for word in letters])
    x = _array(tensors["char_embeddings.weight"])[padded].astype(np.float32)
    head = Head(
        _array(tensors["hidden2tag.weight"]), _array(tensors["hidden2tag.bias"]), tuple(len(word) for word in WORDS)
    )
    return Model("uzmorph-nn", _written(path, InputSequence(WORD_LENGTH, len(WORDS), True, True, x=x)), head)


MODELS: dict[str, Callable[[Path, Path | None], Model]] = {
    "silero_vad": silero_vad,
    "Resemblyzer": resemblyzer,
    "uzmorph-nn": uzmorph_nn,
}
"""Each makes its workload in the first folder; the second one holds wheels (None: the cache of the tests)."""


def synthetic_voice(frames: int) -> Float64:
    """Audio of `frames` hops at LEVEL_DB: three vowels in turn, on a gliding pitch near 120 Hz, between hisses.

    A vowel takes VOWEL_SECONDS: 32 harmonics, each as loud as three resonances make it. Where it fades there is noise,
    weaker and of high frequencies as of an s, and a little of it everywhere.
    """
    time = np.arange(frames * HOP) / RATE
    pitch = 120 * (1 + 0.15 * np.sin(2 * np.pi * 1.3 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    formants = np.array(VOWELS)[(time / VOWEL_SECONDS).astype(int) % len(VOWELS)].T
    envelope = np.sin(np.pi * (time / VOWEL_SECONDS % 1)) ** 2
    noise = np.diff(np.random.default_rng(0).uniform(-1, 1, time.size + 1))
    audio = noise * (0.003 + 0.2 * (1 - envelope))
    for harmonic in range(1, 33):
        gains = (
            1 / (1 + ((harmonic * pitch - formant) / width) ** 2)
            for formant, width in zip(formants, (60, 90, 120), strict=True)
        )
        audio = audio + envelope * sum(gains) * np.sin(harmonic * phase) / np.sqrt(harmonic)
    level: Float64 = 10 ** (LEVEL_DB / 20) / np.sqrt(np.mean(audio**2))
    return audio * level


def mel_spectrogram(audio: Float64) -> Float64:
    """(frames, BANDS): power in mel bands, as librosa.feature.melspectrogram gives it to Resemblyzer."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    padded = np.pad(audio, WINDOW // 2)
    frames = np.stack([padded[first : first + WINDOW] for first in range(0, audio.size, HOP)])
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    edges = _hertz(np.linspace(0, _TOP_MEL, BANDS + 2))[:, np.newaxis]
    bins = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    rising, falling = (bins - edges[:-2]) / np.diff(edges, axis=0)[:-1], (edges[2:] - bins) / np.diff(edges, axis=0)[1:]
    filters = np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])
    result: Float64 = power @ filters.T
    return result


_TOP_MEL = 15 + 27 * np.log(RATE / 2 / 1000) / np.log(6.4)


def _hertz(mel: Float64) -> Float64:
    """Slaney's scale: linear below 1 kHz, logarithmic above."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def shortened(values: Float64) -> Float64:
    """The nearest numbers of INPUT_BITS bits."""
    mantissa, exponent = np.frexp(values)
    rounded: Float64 = np.ldexp(np.rint(mantissa * 2.0**INPUT_BITS), exponent - INPUT_BITS)
    return rounded


def _unpacked(trained: Trained, folder: Path, wheels: Path | None) -> Path:
    path = folder / Path(trained.member).name
    path.write_bytes(read_member(trained, trained.member, wheels))
    return path


def _written(path: Path, sequence: InputSequence) -> str:
    """The whole recurrent stack of a model file as a workload beside it."""
    found = find_layers(path, None)
    out = path.with_suffix(".yaml")
    write_workload(found, select(found, "all"), sequence, out)
    return str(out)


def _torch_tensors(path: Path, inside: str | None = None) -> dict[str, torch.Tensor]:
    """The tensors of a state_dict, or of one inside a checkpoint."""
    import torch

    tree = torch.load(path, map_location="cpu", weights_only=True)
    found: dict[str, torch.Tensor] = tree if inside is None else tree[inside]
    return found


def _array(tensor: torch.Tensor) -> Float64:
    array: Float64 = tensor.numpy().astype(np.float64)
    return array
