"""One layer against the definition of a block: the draws of each mode within their bounds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from attn_core.interpreters.shapes import output_shape
from attn_core.parity.draws import Draw
from attn_core.parity.foreign.checked import Checked
from attn_core.parity.foreign.difference import Comparison, Difference
from attn_core.parity.foreign.drawing import drawn
from attn_core.parity.foreign.layer import ForeignError, adopt
from attn_core.parity.foreign.running import Candidate, RaisedError
from attn_core.parity.foreign.settings import Settings
from attn_core.parity.foreign.telling import told
from attn_core.parity.foreign.ties import remark_on_ties
from attn_core.parity.foreign.ways import read
from attn_core.parity.foreign.wording import broken_sentence
from attn_core.parity.result import BROKEN, FAILED, PASSED, Cell
from attn_core.parity.tally import Tally
from attn_core.spec import Block


def check(
    layer: Any,
    block: Block,
    settings: Settings,
    dialect: str | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Checked:
    """Compare a layer with a block. **Raises** `ForeignError` if it cannot be compared at all, `ShapeError`."""
    if len(block.inputs) > 1:
        raise ForeignError(f"{block!r} takes {len(block.inputs)} inputs; layers of one image are compared.")
    # Before the layer is adopted, which builds a copy of it in Keras: what the block cannot take is said of the block.
    lengths = output_shape(block, settings.shape)
    out = tuple(int(length) for length in lengths if length)
    theirs = adopt(layer, settings.shape, data_format=settings.data_format)
    reading = read(theirs, block, dialect, mapping)
    candidate = Candidate(theirs, reading)
    draws = drawn(candidate.weights(), reading.absent, out, settings)
    comparisons = [Comparison(candidate, block, settings.dtype, mode) for mode in settings.modes]
    cells = [_cell(comparison, draws, settings) for comparison in comparisons]
    passed = all(cell.status == PASSED for cell in cells)
    return Checked(tuple(cells), reading.how, remark_on_ties(comparisons[0], draws) if passed else "")


def _cell(comparison: Comparison, draws: Sequence[Draw], settings: Settings) -> Cell:
    start = time.perf_counter()
    tally = Tally()
    worth_telling: Difference | None = None
    try:
        for draw in draws:
            difference = comparison.on(draw)
            tally.add(difference.tensors)
            worth_telling = _more_telling(worth_telling, difference)
    except RaisedError as raised:
        title = comparison.candidate.theirs.title
        message = broken_sentence(title, raised.error, comparison.block, settings.shape, comparison.mode)
        cell = replace(_passed(comparison, settings), status=BROKEN, message=message)
    else:
        cell = _compared(comparison, worth_telling, settings)
    seconds = time.perf_counter() - start
    # Also where the layer raised: what was found on the draws before stays.
    return replace(cell, tensors=tuple(tally.tensors.values()), shares=tuple(tally.shares), seconds=seconds)


def _compared(comparison: Comparison, difference: Difference | None, settings: Settings) -> Cell:
    cell = _passed(comparison, settings)
    if difference is None:
        return cell
    where, message = told(difference, settings.seed)
    return replace(cell, status=FAILED, where=where, message=message)


def _passed(comparison: Comparison, settings: Settings) -> Cell:
    name, text = type(comparison.block).__name__, repr(comparison.block)
    runtime = comparison.candidate.theirs.runtime
    return Cell(name, text, runtime, comparison.dtype, comparison.mode, (settings.shape,), settings.seed, PASSED)


def _more_telling(known: Difference | None, other: Difference) -> Difference | None:
    """Return the first that is beyond its bounds, or the first whose output is, if there is one."""
    if not other.beyond:
        return known
    if known is None:
        return other
    # Where two part ways can be told of outputs alone.
    tells_more = "output" in other.beyond and "output" not in known.beyond
    return other if tells_more else known
