"""Describes the workload file: layers, sizes, weights, input, and what the output should be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from archsim.config.types import Count, PositiveNumber, StrictModel, Text
from archsim.formats.scaling import Method
from archsim.workload.network import FUNCTIONS, CellKind, CellSpec, FunctionSpec, MergeMode

Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Threshold = Annotated[float, Field(ge=0, le=1e6)]
Parameter = Annotated[float, Field(ge=-1e6, le=1e6)]
Percentile = Annotated[float, Field(ge=50, le=100)]


class Source(StrictModel):
    """The source of numbers: drawn from a seed, or read from a file."""

    seed: Seed | None = Field(default=None, description="draw U(-1/sqrt(H), 1/sqrt(H)) with this seed")
    file: Text | None = Field(default=None, description="a .safetensors or .npz file, relative to the workload file")

    @model_validator(mode="after")
    def _exactly_one(self) -> Source:
        if (self.seed is None) == (self.file is None):
            raise ValueError("expected exactly one of 'seed' and 'file'")
        return self


class InputSource(Source):
    """The source of the input x.

    In torch's layout: (T, B, I), (B, T, I) with batch_first, (T, I) if not batched.
    """

    tensor: Text = Field(default="input", description="name of the tensor")


class StateSource(StrictModel):
    """The source of the initial state; without this section it is zero."""

    file: Text = Field(description="a .safetensors or .npz file, relative to the workload file")
    h_0: Text = Field(default="h_0", description="name of the initial hidden state, shape as torch's h_0")
    c_0: Text = Field(default="c_0", description="name of the initial cell state, shape as torch's c_0")


class ExpectedSource(StrictModel):
    """The results of an outside witness: what another implementation gave for this workload.

    Numbers in the file are real values, or integer codes of the machine's formats.
    """

    file: Text = Field(
        description="a .safetensors or .npz file with any of output, h_n, c_n in torch's shapes, and by step c_l0, "
        "gate_i_l0, ..."
    )
    tolerance: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] | None = Field(
        default=None,
        description="largest error of a real number, relative to the tensor's largest magnitude; without it 1e-5, on "
        "other formats than float32 of the machine's numbers or of the float64 model's",
    )
    within_codes: Annotated[int, Field(ge=0, le=2**31)] | None = Field(
        default=None,
        description="largest difference of integer codes; without it codes must be equal. Real numbers are compared as "
        "the machine's codes if this is given and tolerance is not",
    )
    tensors: tuple[Text, ...] | None = Field(
        default=None, description="names of the tensors to compare; all that the file holds if left out"
    )


class TaskSource(StrictModel):
    """The use of the outputs: score = after(before(output) @ weight.T + bias), seen against a threshold."""

    summary: Text = Field(description="what the scores are, as 'speech probability'")
    file: Text = Field(description="a .safetensors or .npz file, relative to the workload file")
    weight: Text = Field(default="weight", description="name of the tensor (N, size of the output)")
    bias: Text | None = Field(default="bias", description="name of the tensor (N); null if there is none")
    before: Literal["identity", "relu"] = Field(default="identity", description="function of the network's output")
    after: Literal["identity", "sigmoid"] = Field(default="sigmoid", description="function that gives the score")
    threshold: Parameter = Field(description="a score is on one side if it is at least this, else on the other")
    expected: Text | None = Field(
        default=None, description="name of the witness's scores in the file of the section expected"
    )


class CalibrationInput(InputSource):
    """An input that ranges are observed on instead of the workload's own, in the same layout."""

    steps: Count | None = Field(default=None, description="time steps to draw; the workload's if left out")
    batch: Count | None = Field(default=None, description="sequences to draw; the workload's if left out")

    @model_validator(mode="after")
    def _a_file_has_its_own_sizes(self) -> CalibrationInput:
        if self.file is not None and (self.steps is not None or self.batch is not None):
            raise ValueError("steps and batch are for a drawn input; an input from a file has its own")
        return self


class CalibrationConfig(StrictModel):
    """The source of the scales and zero points of intN formats."""

    method: Method = Field(default=Method.MAX, description="how the ranges of x, h, c and other vectors are chosen")
    weight_method: Method = Field(default=Method.MAX, description="how the ranges of the weights are chosen")
    percentile: Percentile = Field(default=99.9, description="of the method percentile: what of the numbers is covered")
    input: CalibrationInput | None = Field(default=None, description="what to observe instead of the workload's input")
    file: Text | None = Field(
        default=None,
        description="ranges saved by archsim calibrate, relative to the workload file, instead of observing",
    )


class FunctionConfig(StrictModel):
    """An activation function of the ONNX specification."""

    name: Text = Field(description="activation function, in lower case")
    alpha: Parameter | None = Field(default=None, description="its parameter alpha; ONNX's default if left out")
    beta: Parameter | None = Field(default=None, description="its parameter beta; ONNX's default if left out")

    @model_validator(mode="after")
    def _parameters_fit_the_function(self) -> FunctionConfig:
        if self.name not in FUNCTIONS:
            raise ValueError(f"unknown activation function '{self.name}'; allowed: {', '.join(FUNCTIONS)}")
        defaults = FUNCTIONS[self.name]
        given = {"alpha": self.alpha, "beta": self.beta}
        for place, (name, value) in enumerate(given.items()):
            if place >= len(defaults) and value is not None:
                raise ValueError(f"{self.name} has no {name}")
            if place < len(defaults) and defaults[place] is None and value is None:
                raise ValueError(f"{self.name} needs {name}")
        return self

    def spec(self) -> FunctionSpec:
        """The function with all its parameters."""
        defaults = FUNCTIONS[self.name] + (None, None)
        alpha = defaults[0] if self.alpha is None else self.alpha
        return FunctionSpec(self.name, alpha, defaults[1] if self.beta is None else self.beta)


class ThresholdsConfig(StrictModel):
    """The least changes that a delta network passes on, in the units of x and h; 0: every change.

    A plain number stands for both.
    """

    x: Threshold = Field(default=0.0, description="of an element of a layer's input")
    h: Threshold = Field(default=0.0, description="of an element of h_{t-1}")

    @model_validator(mode="before")
    @classmethod
    def _for_both(cls, value: object) -> object:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return {"x": value, "h": value} if number else value


class LayerConfig(StrictModel):
    """One layer; defaults are PyTorch's."""

    kind: CellKind = Field(description="kind of cell; or linear, W x + b at each time step")
    hidden_size: Count = Field(description="H, elements of h_t (before a projection); of a linear layer its outputs")
    proj_size: Annotated[int, Field(ge=0, le=1_048_576)] = Field(
        default=0, description="P, elements of h_t after the projection; 0 for none (LSTM)"
    )
    bias: bool = Field(default=True, description="whether there are biases")
    bidirectional: bool = Field(default=False, description="whether a second direction runs in reverse")
    merge_mode: MergeMode = Field(
        default=MergeMode.CONCAT,
        description="how the outputs of two directions become the layer's, as in Keras; sum, mul and ave by element",
    )
    reverse: bool = Field(default=False, description="whether the only direction runs in reverse (ONNX)")
    nonlinearity: Literal["tanh", "relu"] = Field(default="tanh", description="activation function of an RNN")
    activations: tuple[FunctionConfig, ...] | None = Field(
        default=None,
        description="activation functions in ONNX's order, for one direction or for both, instead of PyTorch's",
    )
    clip: PositiveNumber | None = Field(default=None, description="bound on the gates' pre-activations (ONNX)")
    input_forget: bool = Field(default=False, description="f = 1 - i (ONNX, LSTM)")
    peepholes: bool = Field(default=False, description="i, f and o see the cell (ONNX, LSTM)")
    layer_norm: bool = Field(
        default=False,
        description="each gate's sums are normalized over the hidden units and scaled by layer_norm, before the bias "
        "is added (TensorFlow Lite, LSTM)",
    )
    linear_before_reset: bool = Field(
        default=True, description="reset after the recurrent product, as in PyTorch; false is ONNX's default (GRU)"
    )

    @model_validator(mode="after")
    def _options_fit_the_kind(self) -> LayerConfig:
        lstm_only = {"proj_size": self.proj_size, "input_forget": self.input_forget, "peepholes": self.peepholes}
        lstm_only |= {"layer_norm": self.layer_norm}
        wrong = [name for name, value in lstm_only.items() if value and self.kind is not CellKind.LSTM]
        if not self.linear_before_reset and self.kind is not CellKind.GRU:
            wrong.append("linear_before_reset")
        if self.nonlinearity != "tanh" and self.kind is not CellKind.RNN:
            wrong.append("nonlinearity")
        if not self.kind.recurrent:
            wrong += [name for name in ("bidirectional", "reverse") if getattr(self, name)]
        if wrong:
            raise ValueError(f"a layer of kind {self.kind} has no {', '.join(wrong)}")
        if self.proj_size >= self.hidden_size:
            raise ValueError("proj_size must be smaller than hidden_size, as in PyTorch")
        if self.bidirectional and self.reverse:
            raise ValueError("a layer is either bidirectional or reverse")
        if self.merge_mode is not MergeMode.CONCAT and not self.bidirectional:
            raise ValueError(f"merge_mode {self.merge_mode} is for a bidirectional layer")
        per_direction = len(self.kind.functions)
        allowed = (per_direction, per_direction * 2) if self.bidirectional else (per_direction,)
        if self.activations is not None and len(self.activations) not in allowed:
            raise ValueError(f"expected {' or '.join(map(str, allowed))} activations, got {len(self.activations)}")
        return self

    @property
    def output_size(self) -> int:
        """The number of elements of the layer's output: of one direction, or of two side by side."""
        side_by_side = self.bidirectional and self.merge_mode is MergeMode.CONCAT
        return (self.proj_size or self.hidden_size) * (2 if side_by_side else 1)

    def cells(self, input_size: int) -> tuple[CellSpec, ...]:
        """The cells of the layer's directions."""
        return tuple(
            CellSpec(
                kind=self.kind,
                input_size=input_size,
                hidden_size=self.hidden_size,
                functions=self._functions(place),
                proj_size=self.proj_size,
                bias=self.bias,
                clip=self.clip,
                input_forget=self.input_forget,
                peepholes=self.peepholes,
                layer_norm=self.layer_norm,
                linear_before_reset=self.linear_before_reset,
                reverse=self.reverse or place == 1,
            )
            for place in range(2 if self.bidirectional else 1)
        )

    def _functions(self, direction: int) -> tuple[FunctionSpec, ...]:
        count = len(self.kind.functions)
        if self.activations is None:
            return (FunctionSpec(self.nonlinearity),) if self.kind is CellKind.RNN else self.kind.functions
        first = direction * count if len(self.activations) > count else 0
        return tuple(function.spec() for function in self.activations[first : first + count])


class WorkloadConfig(LayerConfig):
    """A recurrent network with PyTorch's semantics, its numbers and its length."""

    summary: Text = Field(description="one line that says what this workload is")
    input_size: Count = Field(description="I, elements of x_t")
    num_layers: Annotated[int, Field(ge=1, le=64)] = Field(default=1, description="layers of this kind and size")
    next_layers: tuple[LayerConfig, ...] = Field(default=(), description="layers of other kinds or sizes that follow")
    steps: Count = Field(description="T, time steps")
    batch: Count = Field(default=1, description="B, sequences computed together")
    batch_first: bool = Field(default=False, description="input and output are (B, T, features) instead of (T, B, ...)")
    batched: bool = Field(default=True, description="false: input (T, I) and output without a batch axis; batch is 1")
    sequence_lens: tuple[Count, ...] | None = Field(
        default=None,
        description="time steps of each sequence; its later outputs are 0 (ONNX), a reverse one starts there",
    )
    streaming: bool = Field(
        default=False,
        description="each time step is a frame that comes to a machine which is on: weights and state stay there, and "
        "a frame goes through all layers; what is asked is how long that takes",
    )
    streams: Annotated[int, Field(strict=True, ge=1, le=1024)] = Field(
        default=1,
        description="streaming: streams that take turns on the machine, each with states of its own; frame n is one of "
        "stream n mod streams",
    )
    period_us: PositiveNumber | None = Field(
        default=None, description="streaming: us from one frame of a stream to its next"
    )
    offset_us: Annotated[float, Field(ge=0, le=1e9)] | None = Field(
        default=None,
        description="streaming: us from a stream's frame to the next stream's; period_us / streams if left out",
    )
    jitter_us: Annotated[float, Field(ge=0, le=1e9)] = Field(
        default=0.0, description="streaming: us by which a frame is late at most, drawn evenly"
    )
    jitter_seed: Seed = Field(default=0, description="streaming: seed of how late each frame is")
    arrivals_us: tuple[Annotated[float, Field(ge=0, le=1e12)], ...] | None = Field(
        default=None, description="streaming: us at which each frame comes, instead of a period"
    )
    deadline_us: PositiveNumber | None = Field(
        default=None, description="streaming: us after its arrival by which a frame must be out; period_us if left out"
    )
    dropout: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0, description="recorded; in inference dropout changes nothing"
    )
    delta: ThresholdsConfig | None = Field(
        default=None,
        description="a delta network: elements that have changed by less than a threshold since they were last passed "
        "on are skipped; a number is that of x and h; only for machines that skip columns",
    )
    activity: Text | None = Field(
        default=None,
        description="a text file, relative to the workload file, with the columns that each step of a delta network "
        "multiplies; only for machines that skip columns",
    )
    weights: Source = Field(description="the weights, under torch's names: weight_ih_l0, weight_hh_l0, bias_ih_l0, ...")
    input: InputSource = Field(description="the input sequence")
    initial_state: StateSource | None = Field(default=None, description="h_0 and c_0; zero if left out")
    expected: ExpectedSource | None = Field(default=None, description="an outside witness of the results")
    task: TaskSource | None = Field(default=None, description="what the outputs are used for")
    calibration: CalibrationConfig = Field(
        default=CalibrationConfig(), description="where the scales of integer formats come from"
    )

    @model_validator(mode="after")
    def _scores_are_expected_with_the_results(self) -> WorkloadConfig:
        if self.task is not None and self.task.expected is not None and self.expected is None:
            raise ValueError("task.expected names a tensor of the file of the section 'expected', which is left out")
        return self

    @model_validator(mode="after")
    def _frames_are_in_order(self) -> WorkloadConfig:
        given: dict[str, object] = {"streams": self.streams - 1, "offset_us": self.offset_us is not None}
        given |= {"period_us": self.period_us, "jitter_us": self.jitter_us, "arrivals_us": self.arrivals_us}
        named = [name for name, value in (given | {"deadline_us": self.deadline_us}).items() if value]
        if not self.streaming:
            if named:
                raise ValueError(f"{named[0]} is for a workload with streaming: true")
            return self
        self._check_arrivals()
        if self.streams > self.steps:
            raise ValueError(f"streams: each of {self.streams} needs a frame, and there are {self.steps} (steps)")
        if self.streams > 1 and (self.expected is not None or self.task is not None):
            raise ValueError("streams: outside results (expected) and tasks are of one stream")
        if any(layer.bidirectional or layer.reverse for layer in (self, *self.next_layers)):
            raise ValueError("streaming: a layer in reverse begins with the last frame, which has not come yet")
        if self.sequence_lens is not None:
            raise ValueError("streaming: sequences that end (sequence_lens) are no streams")
        return self

    def _check_arrivals(self) -> None:
        times = self.arrivals_us
        if times is not None and (self.period_us is not None or self.jitter_us):
            raise ValueError("arrivals_us: the frames' times are given either one by one or by period_us and jitter_us")
        if times is not None and len(times) != self.steps:
            raise ValueError(f"arrivals_us: expected a time for each of the {self.steps} frames, got {len(times)}")
        if times is not None and list(times) != sorted(times):
            raise ValueError("arrivals_us: a frame does not come before the one before it")
        if self.jitter_us and self.period_us is None:
            raise ValueError("jitter_us: how late a frame is against a period needs period_us")
        if self.period_us is not None and self.jitter_us > self.period_us:
            raise ValueError("jitter_us: a frame that is later than a period would come after the next one")
        if self.offset_us is not None and (self.period_us is None or self.streams * self.offset_us > self.period_us):
            raise ValueError("offset_us: needs period_us, in which the frames of all streams come")
        if self.deadline_us is not None and self.period_us is None and times is None:
            raise ValueError("deadline_us: needs period_us or arrivals_us")

    @model_validator(mode="after")
    def _unbatched_is_one_sequence(self) -> WorkloadConfig:
        if not self.batched and self.batch != 1:
            raise ValueError("a workload that is not batched has batch 1")
        lengths = self.sequence_lens
        if lengths is not None and (len(lengths) != self.batch or max(lengths) > self.steps):
            raise ValueError(
                f"sequence_lens: expected {self.batch} numbers from 1 to {self.steps}, one for each sequence"
            )
        return self

    def layers(self) -> tuple[tuple[CellSpec, ...], ...]:
        """The configs of all layers; each takes the output of the one before."""
        layers: list[tuple[CellSpec, ...]] = []
        size = self.input_size
        for layer in self._all_layers:
            layers.append(layer.cells(size))
            size = layer.output_size
        return tuple(layers)

    def merge_modes(self) -> tuple[MergeMode, ...]:
        """How the directions of each layer become one output; () if they stand side by side in all."""
        modes = tuple(layer.merge_mode for layer in self._all_layers)
        return () if set(modes) == {MergeMode.CONCAT} else modes

    @property
    def _all_layers(self) -> tuple[LayerConfig, ...]:
        return (self,) * self.num_layers + self.next_layers
