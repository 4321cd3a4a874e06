"""Describes a MAC array: its size, its pipeline, and which weights it leaves out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, model_validator

from archsim.config.allowed import Wording
from archsim.config.types import Count, Cycles, StrictModel
from archsim.hardware.unit import UnitConfig, ceil_div
from archsim.program.ir import DataKind
from archsim.program.sparsity import DENSE, Sparsity

MAX_GROUP_COLUMNS = 1024
"""Most columns of a group: a multiplexer of so many inputs stands in front of every multiplier."""
_TEXT = re.compile(r"([0-9]{1,12}):([0-9]{1,12})")


class SparsityConfig(StrictModel):
    """The structured sparsity of the weights: in every row, of each `of` neighbouring columns `kept` are stored.

    The text `2:4` stands for `{kept: 2, of: 4}`.
    """

    kept: Count = Field(description="weights of each group of columns of a row that are stored and multiplied")
    of: Annotated[int, Field(ge=1, le=MAX_GROUP_COLUMNS)] = Field(
        description="columns of a group, among which each multiplier chooses its input, from each matrix's first one "
        "on; the last group may have fewer"
    )

    @model_validator(mode="before")
    @classmethod
    def _of_a_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = _TEXT.fullmatch(value)
        if found is None:
            raise ValueError("n:m is n weights kept of each m columns")
        return {"kept": int(found[1]), "of": int(found[2])}

    @model_validator(mode="after")
    def _some_are_left_out(self) -> SparsityConfig:
        if self.kept >= self.of:
            raise ValueError(f"kept {self.kept} of {self.of}: fewer must be kept than there are; all: leave it out")
        return self


class MacArrayConfig(UnitConfig):
    """Size and pipeline of the MAC array."""

    rows: Count = Field(description="rows of multipliers: outputs of one tile")
    columns: Count = Field(description="columns of multipliers: inputs of one chunk")
    x_columns: Count | None = Field(
        default=None,
        description="those of the columns that multiply x alone, through trees of their own beside those of h; "
        "left out: all columns take one vector after the other",
    )
    sparsity: Annotated[SparsityConfig, Wording("a pattern", hint="as 2:4 or {kept: 2, of: 4}")] | None = Field(
        default=None,
        description="structured sparsity of all weights: multipliers choose their inputs by an index that each weight "
        "is stored with; left out: all weights are stored",
    )
    multiplier_latency_cycles: Cycles = Field(description="pipeline stages of a multiplier")
    adder_latency_cycles: Cycles = Field(description="pipeline stages of one level of the adder tree")
    converter_latency_cycles: Cycles = Field(
        default=0, description="pipeline stages from accumulators to sums, where their formats differ"
    )

    @model_validator(mode="after")
    def _columns_of_h_too(self) -> MacArrayConfig:
        if self.x_columns is not None and self.x_columns >= self.columns:
            raise ValueError(f"x_columns {self.x_columns}: of {self.columns} columns, at least one must multiply h")
        return self

    @model_validator(mode="after")
    def _whole_groups_a_chunk(self) -> MacArrayConfig:
        for columns in self.apart or (self.columns,):
            if columns % self.kept.kept:
                below = columns // self.kept.kept * self.kept.kept
                near = " or ".join(f"{near:,}" for near in (below, below + self.kept.kept) if near)
                raise ValueError(
                    f"sparsity: a chunk takes whole groups, so that columns ({columns}) must be a multiple of kept "
                    f"({self.kept.kept}), as {near}"
                )
        return self

    @property
    def kept(self) -> Sparsity:
        """Which weights are kept: all, without `sparsity`."""
        return DENSE if self.sparsity is None else Sparsity(self.sparsity.kept, self.sparsity.of)

    @property
    def apart(self) -> tuple[int, int] | None:
        """The (columns of x, columns of h) if the two have trees of their own; else None."""
        return None if self.x_columns is None else (self.x_columns, self.columns - self.x_columns)

    @property
    def tree_levels(self) -> int:
        """The depth of the adder tree: ceil(log2 columns); of two trees the deeper one's and 1 to join."""
        if self.apart is not None:
            return (max(self.apart) - 1).bit_length() + 1
        return (self.columns - 1).bit_length()

    def inputs_of(self, matrix: DataKind) -> int:
        """How many inputs of a matrix a chunk takes: one a column, or those that the kept weights are chosen from."""
        return self.kept.chunk_inputs(self.columns_of(matrix))

    def columns_of(self, matrix: DataKind) -> int:
        """How many columns multiply a matrix: W_ih is x's, all others take the columns of h."""
        if self.apart is None:
            return self.columns
        x_columns, h_columns = self.apart
        return x_columns if matrix is DataKind.W_IH else h_columns

    def chunks(self, inputs: Sequence[tuple[DataKind, int]], one_accumulation: bool) -> int:
        """How many chunks a tile takes; `inputs` are its matrices with the K of each.

        `one_accumulation`: the formats let x and h go into the same accumulators.
        """
        kept = self.kept
        if self.apart is None and one_accumulation:
            return ceil_div(sum(kept.groups(k) for _, k in inputs), self.columns // kept.kept)
        chunks = [ceil_div(k, self.inputs_of(matrix)) for matrix, k in inputs]
        return sum(chunks) if self.apart is None else max(chunks)

    @property
    def tree_depth_cycles(self) -> int:
        """The depth of multiplier and adder tree in cycles."""
        return self.multiplier_latency_cycles + self.tree_levels * self.adder_latency_cycles

    def partial_sums(self, floating: bool) -> int:
        """How many partial sums a row keeps of one vector at most, so that it can begin an addition in each cycle.

        An integer accumulator adds in a cycle. A floating-point one takes `adder_latency_cycles`, and what it adds to
        is the sum of so many cycles ago: at batch 1 as many partial sums are under way.
        """
        return max(1, self.adder_latency_cycles) if floating else 1
