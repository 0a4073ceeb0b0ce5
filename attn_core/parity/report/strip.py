"""The distribution of error / bound over draws, as the path of a small SVG with a logarithmic axis."""

from __future__ import annotations

import math
from collections import Counter
from statistics import median

from attn_core.parity.report.texts import short
from attn_core.parity.result import Cell

LOW, HIGH = -4, 2  # powers of ten at the ends of the axis; what lies beyond stands at the end
BINS = 8  # for each power of ten
WIDTH, HEIGHT = (HIGH - LOW) * BINS, 16  # one unit is one bin
BOUND = -LOW * BINS


def draws(cell: Cell) -> tuple[float, ...]:
    """Return the worst share of each draw."""
    return cell.shares or ((cell.share,) if cell.tensors else ())


def bars(shares: tuple[float, ...], *, above: bool) -> str:
    """Return the bars of the shares that are above the bound, or of those that are not."""
    counts = Counter(map(_bin, shares))
    tallest = max(counts.values(), default=1)
    chosen = sorted((place, count) for place, count in counts.items() if (place >= BOUND) == above)
    heights = [(place, max(2.0, HEIGHT * count / tallest)) for place, count in chosen]
    return "".join(f"M{place} {HEIGHT}v{-height:.3g}h1V{HEIGHT}z" for place, height in heights)


def told(shares: tuple[float, ...]) -> str:
    """Return the distribution in words, for those who do not see it."""
    if not shares:
        return "no draws"
    if len(shares) == 1:
        return f"1 draw, error / bound {short(shares[0])}"
    ends = f"from {short(min(shares))} to {short(max(shares))}"
    return f"{len(shares)} draws, error / bound {ends}, median {short(median(shares))}"


def _bin(share: float) -> int:
    """Return the bin of a share; just at the bound counts as below it."""
    if share <= 10**LOW:
        return 0
    place = math.ceil((math.log10(share) - LOW) * BINS) - 1 if math.isfinite(share) else WIDTH
    return min(place, WIDTH - 1) if share > 1 else min(place, BOUND - 1)
