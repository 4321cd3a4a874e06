"""The workload file: sizes, weights, input, and what the output should be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from archsim.config.types import Count, StrictModel, Text

Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]


class Source(StrictModel):
    """Where numbers come from: drawn from a seed, or read from a file."""

    seed: Seed | None = Field(default=None, description="draw U(-1/sqrt(H), 1/sqrt(H)) with this seed")
    file: Text | None = Field(default=None, description="a .safetensors or .npz file, relative to the workload file")

    @model_validator(mode="after")
    def _exactly_one(self) -> Source:
        if (self.seed is None) == (self.file is None):
            raise ValueError("expected exactly one of 'seed' and 'file'")
        return self


class InputSource(Source):
    """Where the input x (T, B, I) comes from."""

    tensor: Text = Field(default="input", description="name of the tensor, shape (steps, batch, input_size)")


class StateSource(StrictModel):
    """Where the initial state comes from; without this section it is zero."""

    file: Text = Field(description="a .safetensors or .npz file, relative to the workload file")
    h_0: Text = Field(default="h_0", description="name of the initial hidden state, shape (1, batch, hidden_size)")
    c_0: Text = Field(default="c_0", description="name of the initial cell state, shape (1, batch, hidden_size)")


class ExpectedSource(StrictModel):
    """An outside witness: what another implementation gave for this workload."""

    file: Text = Field(
        description="a .safetensors or .npz file with output (steps, batch, hidden_size) and h_n, c_n (1, batch, "
        "hidden_size)"
    )


class WorkloadConfig(StrictModel):
    """One LSTM layer with PyTorch's semantics, its numbers and its length."""

    summary: Text = Field(description="one line that says what this workload is")
    kind: Literal["lstm"] = Field(description="kind of layer")
    input_size: Count = Field(description="I, elements of x_t")
    hidden_size: Count = Field(description="H, elements of h_t")
    steps: Count = Field(description="T, time steps")
    batch: Count = Field(description="B, sequences computed together")
    weights: Source = Field(description="weight_ih_l0 (4H, I), weight_hh_l0 (4H, H), bias_ih_l0 and bias_hh_l0 (4H)")
    input: InputSource = Field(description="the input sequence (T, B, I)")
    initial_state: StateSource | None = Field(default=None, description="h_0 and c_0; zero if left out")
    expected: ExpectedSource | None = Field(default=None, description="an outside witness of the results")
