"""Makes SHA-256 digests of many texts that consist of pieces, most of which are the same in many texts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from archsim.api.batch.columns import Picked, classes


def digests_of(pieces: Sequence[Picked[str]]) -> list[bytes]:
    """The digest of each text: that of its pieces, one behind the other."""
    joined: list[Picked[str]] = []
    for piece in pieces:
        if joined and (len(piece.values) == 1 or len(joined[-1].values) == 1):
            joined[-1] = _together(joined[-1], piece)
        else:
            joined.append(piece)
    encoded = [Picked([text.encode() for text in piece.values], piece.codes) for piece in joined]
    return [hashlib.sha256(b"".join(texts)).digest() for texts in zip(*(each.each() for each in encoded), strict=True)]


def _together(begin: Picked[str], end: Picked[str]) -> Picked[str]:
    """Two pieces as one."""
    first, codes = classes([begin.codes, end.codes], len(begin.codes))
    return Picked([begin.of(row) + end.of(row) for row in first.tolist()], codes)
