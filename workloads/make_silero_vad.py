"""Make the files of the workload `silero_vad`: trained weights of LSTM and head, real features, witness outputs.

    pip install numpy==2.4.6 scipy==1.17.1 onnx==1.23.2 onnxruntime==1.32.0
    apt-get install espeak-ng
    python workloads/make_silero_vad.py [--out-dir DIR] [--only-head]

The weights are those of the LSTM node, and of the head behind it, in `silero_vad_16k_sequence.onnx` of the PyPI
wheel silero-vad 6.2.3 (MIT licence). The input is what that model's own encoder computes from speech synthesised
by espeak-ng. The expected output is what onnxruntime computes with the LSTM node alone, cut unchanged out of that
model. The README beside this script describes the graph and the files. Two runs on one machine write the same bytes.
With --only-head it writes the head's file alone, checked against the features file beside this script; that needs
no espeak-ng.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import scipy
from onnx import numpy_helper
from scipy.io import wavfile
from scipy.signal import resample_poly

VERSION = "6.2.3"
WHEEL_SHA256 = "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8"
MODEL_IN_WHEEL = "silero_vad/data/silero_vad_16k_sequence.onnx"
HEAD_FILE, FEATURES_FILE = "silero_vad_head.safetensors", "silero_vad_features.safetensors"
LICENCE_IN_WHEEL = f"silero_vad-{VERSION}.dist-info/licenses/LICENSE"

RATE, FRAME, CONTEXT, HIDDEN = 16000, 512, 64, 128
SENTENCES = (
    "An accelerator multiplies a matrix by a vector, again and again.",
    "Then it waits, and listens for the next frame.",
)
SILENCE_SECONDS = (0.6, 0.9, 0.8)  # before the first sentence, between the two, after the last
ESPEAK_OPTIONS = ("-v", "en-us", "-s", "160", "-p", "45")
CHECK_TOLERANCE = 2e-6  # of max(1, largest magnitude): |h| stays below 1, but |c| reaches 35
HEAD_TOLERANCE = 5e-7  # of the probability; see the README, "Checks"
HEAD_NODES = ["Squeeze", "Relu", "Transpose", "Conv", "Sigmoid", "Reshape"]
HEAD_CONV = {"dilations": [1], "group": 1, "kernel_shape": [1], "pads": [0, 0], "strides": [1]}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_wheel(folder: Path) -> tuple[bytes, bytes]:
    """Download the pinned wheel into `folder`; return the ONNX model and the licence text, as bytes."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--only-binary=:all:", "--dest", str(folder), f"silero-vad=={VERSION}"],
        check=True,
    )  # fmt: skip
    wheel = folder / f"silero_vad-{VERSION}-py3-none-any.whl"
    if (found := sha256(wheel.read_bytes())) != WHEEL_SHA256:
        raise SystemExit(f"{wheel.name}: sha256 is {found}, expected {WHEEL_SHA256}")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(MODEL_IN_WHEEL), archive.read(LICENCE_IN_WHEEL)


def espeak_version() -> str:
    text = subprocess.run(["espeak-ng", "--version"], check=True, capture_output=True, text=True).stdout
    return text.split("Data at")[0].strip()


def synthesise(folder: Path) -> np.ndarray:
    """Speak the sentences, resample to 16 kHz, and join them with digital silence. float32 in [-1, 1)."""
    pieces = [np.zeros(round(SILENCE_SECONDS[0] * RATE))]
    for sentence, pause in zip(SENTENCES, SILENCE_SECONDS[1:], strict=True):
        path = folder / "speech.wav"
        subprocess.run(["espeak-ng", *ESPEAK_OPTIONS, "-w", str(path), sentence], check=True)
        rate, samples = wavfile.read(path)
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise SystemExit(f"espeak-ng wrote {samples.dtype} of shape {samples.shape}, expected mono int16")
        divisor = np.gcd(RATE, rate)
        pieces.append(resample_poly(samples / 32768.0, RATE // divisor, rate // divisor))
        pieces.append(np.zeros(round(pause * RATE)))
    return np.concatenate(pieces).astype(np.float32)


def cut_frames(audio: np.ndarray) -> np.ndarray:
    """(T, 576): 512-sample frames, each after the 64 samples before it (zeros at the start and the end)."""
    steps = -(-audio.size // FRAME)
    padded = np.zeros(CONTEXT + steps * FRAME, dtype=np.float32)
    padded[CONTEXT : CONTEXT + audio.size] = audio
    return np.stack([padded[t * FRAME : t * FRAME + CONTEXT + FRAME] for t in range(steps)])


def find_lstm(model: onnx.ModelProto) -> onnx.NodeProto:
    """The graph's only LSTM node, after a check that it is a plain one (see the README)."""
    (node,) = [n for n in model.graph.node if n.op_type == "LSTM"]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    # Only hidden_size is set: forward, time-major layout, sigmoid/tanh/tanh, no clip, gates not coupled.
    if attributes != {"hidden_size": HIDDEN} or len(node.input) != 7 or node.input[4] != "":
        raise SystemExit(f"unexpected LSTM node: {node}")
    return node


def torch_weights(model: onnx.ModelProto, node: onnx.NodeProto) -> dict[str, np.ndarray]:
    """The node's W, R and B under torch's names, gates reordered from ONNX (i,o,f,c) to torch (i,f,g,o)."""
    initializers = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    w, r, b = (initializers[name][0] for name in node.input[1:4])

    def reorder(matrix: np.ndarray) -> np.ndarray:
        i, o, f, c = np.split(matrix, 4)
        return np.ascontiguousarray(np.concatenate([i, f, c, o]), dtype=np.float32)

    bias_w, bias_r = np.split(b, 2)
    parts = {"weight_ih_l0": w, "weight_hh_l0": r, "bias_ih_l0": bias_w, "bias_hh_l0": bias_r}
    return {name: reorder(matrix) for name, matrix in parts.items()}


def head_weights(model: onnx.ModelProto, node: onnx.NodeProto) -> dict[str, np.ndarray]:
    """weight (1, 128) and bias (1,) of the Conv between the LSTM's output and the probability, values unchanged."""
    name, chain = node.output[0], []
    while name != "speech_probs":
        (follower,) = [n for n in model.graph.node if name in n.input]
        chain.append(follower)
        name = follower.output[0]
    conv = chain[HEAD_NODES.index("Conv")]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in conv.attribute}
    if [n.op_type for n in chain] != HEAD_NODES or attributes != HEAD_CONV:
        raise SystemExit(f"unexpected nodes behind the LSTM: {chain}")
    initializers = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    weight, bias = (initializers[name] for name in conv.input[1:])
    return {"weight": weight[:, :, 0], "bias": bias}


def session(path: Path) -> onnxruntime.InferenceSession:
    """One thread, no graph rewriting: onnxruntime runs the nodes as the file gives them."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run_model(path: Path, node: onnx.NodeProto, frames: np.ndarray) -> dict[str, np.ndarray]:
    """The encoder's features, the LSTM node's outputs on them, and the whole model's probabilities."""
    features_name, h_name, c_name = node.input[0], node.input[5], node.input[6]
    encoder, lstm = path.with_name("encoder.onnx"), path.with_name("lstm.onnx")
    onnx.utils.extract_model(path, encoder, ["input"], [features_name])
    onnx.utils.extract_model(path, lstm, [features_name, h_name, c_name], list(node.output))

    state = {name: np.zeros((1, 1, HIDDEN), dtype=np.float32) for name in (h_name, c_name)}
    (features,) = session(encoder).run(None, {"input": frames})
    y, h_n, c_n = session(lstm).run(list(node.output), {features_name: features, **state})
    whole = session(path).run(["speech_probs", *node.output[1:]], {"input": frames, **state})
    if not (np.array_equal(whole[1], h_n) and np.array_equal(whole[2], c_n)):
        raise SystemExit("the LSTM node alone and the whole model end in different states")
    # Y is (steps, directions, batch, hidden); there is one direction.
    return {"input": features, "output": y[:, 0], "h_n": h_n, "c_n": c_n, "speech_probability": whole[0]}


def numpy_errors(weights: dict[str, np.ndarray], tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Witness minus a float64 LSTM in torch's gate order on the converted weights, for each tensor."""
    w, r, b, b2 = (array.astype(np.float64) for array in weights.values())
    h = c = np.zeros((1, HIDDEN))
    outputs = []
    for x in tensors["input"].astype(np.float64):
        i, f, g, o = np.split(x @ w.T + b + h @ r.T + b2, 4, axis=1)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        outputs.append(h)
    mine = {"output": np.stack(outputs), "h_n": h[None], "c_n": c[None]}
    return {name: tensors[name] - array for name, array in mine.items()}


def check_lstm(weights: dict[str, np.ndarray], tensors: dict[str, np.ndarray]) -> None:
    """Print how speech and numbers came out; leave the script if it is not as it should be."""
    probability = tensors["speech_probability"]
    print(f"probability: {(probability > 0.9).sum()} frames > 0.9, {(probability < 0.1).sum()} frames < 0.1")
    good = probability.max() > 0.9 and probability.min() < 0.1
    for name, error in numpy_errors(weights, tensors).items():
        largest, scale = np.abs(error).max(), max(1.0, np.abs(tensors[name]).max())
        print(f"{name}: largest difference from float64 {largest:.2e}, of {scale:.3g}: {largest / scale:.2e}")
        good = good and largest / scale <= CHECK_TOLERANCE
    if not good:
        raise SystemExit("check failed; nothing written")


def check_head(head: dict[str, np.ndarray], tensors: dict[str, np.ndarray]) -> None:
    """The witness's probability against a float64 head on the witness's LSTM output; leave the script if it differs."""
    weight, bias = (head[name].astype(np.float64) for name in ("weight", "bias"))
    z = np.maximum(tensors["output"].astype(np.float64), 0) @ weight.T + bias
    largest = np.abs(1 / (1 + np.exp(-z[:, 0, 0])) - tensors["speech_probability"]).max()
    print(f"speech_probability: largest difference from a float64 head {largest:.2e}")
    if not largest <= HEAD_TOLERANCE:
        raise SystemExit("check failed; nothing written")


def safetensors_bytes(tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> bytes:
    """The safetensors format, written here because the library writes metadata in a random order."""
    header: dict[str, object] = {"__metadata__": metadata}
    body = b""
    for name, array in tensors.items():
        data = np.ascontiguousarray(array, dtype="<f4").tobytes()
        header[name] = {
            "dtype": "F32", "shape": list(array.shape), "data_offsets": [len(body), len(body) + len(data)]
        }  # fmt: skip
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + body


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """All tensors of a file that `safetensors_bytes` made."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    del header["__metadata__"]
    bounds = {name: [start + offset for offset in entry["data_offsets"]] for name, entry in header.items()}
    return {
        name: np.frombuffer(data[slice(*bounds[name])], "<f4").reshape(entry["shape"]) for name, entry in header.items()
    }


def write_files(out_dir: Path, files: dict[str, bytes]) -> None:
    """Write each file and print its sha256."""
    out_dir.mkdir(parents=True, exist_ok=True)
    for file_name, data in files.items():
        (out_dir / file_name).write_bytes(data)
        print(f"{sha256(data)}  {file_name}")


def main() -> None:
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Make the files of the workload silero_vad.")
    parser.add_argument("--out-dir", type=Path, default=here)
    parser.add_argument("--only-head", action="store_true", help=f"write {HEAD_FILE} alone, without espeak-ng")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model_bytes, licence = read_wheel(folder)
        path = folder / "model.onnx"
        path.write_bytes(model_bytes)
        model = onnx.load(path)
        node = find_lstm(model)
        head = head_weights(model, node)
        if arguments.only_head:
            tensors = read_safetensors(here / FEATURES_FILE)
        else:
            audio = synthesise(folder)
            weights = torch_weights(model, node)
            tensors = run_model(path, node, cut_frames(audio))

    origin = f"{MODEL_IN_WHEEL} (sha256 {sha256(model_bytes)}) of the PyPI package silero-vad {VERSION}"
    licence_note = "MIT, Copyright (c) 2020-present Silero Team; see silero_vad.LICENSE"
    check_head(head, tensors)
    head_metadata = {"origin": f"the Conv node /output/Conv of {origin}", "licence": licence_note}
    head_file = {HEAD_FILE: safetensors_bytes(head, head_metadata)}
    if arguments.only_head:
        write_files(arguments.out_dir, head_file)
        return

    steps = tensors["input"].shape[0]
    print(f"T = {steps}, {audio.size} samples, {steps * FRAME / RATE:.2f} s")
    check_lstm(weights, tensors)
    weights_metadata = {
        "origin": f"the LSTM node of {origin}",
        "licence": licence_note,
        "gate_order": "i,f,g,o",
    }
    features_metadata = {
        "origin": f"the encoder and the LSTM node of {origin}, run on speech by {espeak_version()}",
        "licence": licence_note,
        "onnxruntime": onnxruntime.__version__,
        "scipy": scipy.__version__,
        "audio_sha256": sha256(audio.astype("<f4").tobytes()),
    }
    files = {
        "silero_vad.safetensors": safetensors_bytes(weights, weights_metadata),
        FEATURES_FILE: safetensors_bytes(tensors, features_metadata),
        **head_file,
        "silero_vad.LICENSE": licence,
    }
    write_files(arguments.out_dir, files)


if __name__ == "__main__":
    main()
