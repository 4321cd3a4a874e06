"""Holds points whose machines are valid as a table: what they have in common stands once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from archsim.api.batch import Designs
from archsim.api.batch.columns import Codes, Picked
from archsim.explore.space.design import Design
from archsim.explore.space.expression import Scalar
from archsim.explore.space.workload_variants import Variant


@dataclass(frozen=True, slots=True, eq=False)
class PointTable:
    """Points by row: their numbers, and `places` among those that were asked for.

    `designs`: their machines and schedules; `labels`: what tables show, by path, parameters first, then derived fields;
    `digests`: the keys of their designs, as bytes; `variants`: their workloads.
    """

    numbers: Sequence[int]
    places: Codes
    designs: Designs
    labels: Mapping[str, Picked[Scalar]]
    digests: Sequence[bytes]
    variants: Picked[Variant]

    def __len__(self) -> int:
        return len(self.places)

    def at(self, rows: Codes) -> PointTable:
        """Some of the points, in this order."""
        chosen = rows.tolist()
        return PointTable(
            [self.numbers[row] for row in chosen],
            self.places[rows],
            self.designs.at(chosen),
            {path: label.at(rows) for path, label in self.labels.items()},
            [self.digests[row] for row in chosen],
            self.variants.at(rows),
        )

    def all_designs(self) -> list[Design]:
        """Every point by itself."""
        schedules = [str(schedule) for schedule in self.designs.schedules.values]
        names = tuple(self.labels)
        inputs = zip(*(label.each() for label in self.labels.values()), strict=True) if names else [()] * len(self)
        rows = zip(
            self.numbers, inputs, self.designs.schedules.codes.tolist(), self.digests, self.variants.each(), strict=True
        )
        return [
            Design(
                number,
                dict(zip(names, values, strict=True)),
                schedules[schedule],
                digest.hex(),
                variant.reason,
                make_config=partial(self.designs.config, row),
            )
            for row, (number, values, schedule, digest, variant) in enumerate(rows)
        ]
