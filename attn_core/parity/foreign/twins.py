"""Two layers against each other, with the same weights in both."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from attn_core.interpreters.outcome import Outcome
from attn_core.parity.comparing import compared
from attn_core.parity.draws import Draw
from attn_core.parity.foreign.bounding import MEASURED, expected, shown_by_both
from attn_core.parity.foreign.checked import Checked
from attn_core.parity.foreign.checking import check
from attn_core.parity.foreign.drawing import drawn
from attn_core.parity.foreign.layer import ForeignError, adopt
from attn_core.parity.foreign.pairing import Pair, paired
from attn_core.parity.foreign.running import RaisedError
from attn_core.parity.foreign.settings import TRAIN, Settings
from attn_core.parity.foreign.wording import broken_sentence, capital, sentences
from attn_core.parity.result import BROKEN, FAILED, PASSED, Cell
from attn_core.parity.tally import Tally


def twins(
    one: object,
    other: object,
    settings: Settings,
    dialect: str | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Checked:
    """Compare two layers; the second has what is wanted. **Raises** `ForeignError` if they cannot be compared."""
    first, second = (adopt(each, settings.shape, data_format=settings.data_format) for each in (one, other))
    pair = paired(first, second, dialect, mapping)
    # No definition tells the shape of the output, so the second is run once.
    try:
        out = second.run({}, np.zeros(settings.shape), dtype=settings.dtype).output.shape
    except ForeignError:
        raise
    except Exception as error:  # whatever it raises
        raise ForeignError(broken_sentence(second.title, error, pair.block, settings.shape, "eval")) from error
    fixed = pair.one.reading.absent.keys() | pair.other.reading.absent.keys()
    draws = drawn(pair.other.weights(), fixed, out, settings)
    cells = [_cell(pair, draws, settings, mode) for mode in settings.modes]
    # Said once, behind the first: `check` goes through all modes itself.
    failed = [i for i, cell in enumerate(cells) if cell.status == FAILED]
    if failed and pair.block is not None:
        first_failed = cells[failed[0]]
        lines = [first_failed.message, *_which(pair, (one, other), settings)]
        cells[failed[0]] = replace(first_failed, message="\n".join(lines))
    return Checked(tuple(cells), pair.how)


def _cell(pair: Pair, draws: Sequence[Draw], settings: Settings, mode: str) -> Cell:
    start = time.perf_counter()
    tally = Tally()
    failing = None
    for draw in draws:
        try:
            found = pair.one.attempt(draw, settings.dtype, mode == TRAIN)
        except RaisedError as raised:
            title = pair.one.theirs.title
            message = broken_sentence(title, raised.error, pair.block, settings.shape, mode)
            return replace(_passed(pair, settings, mode), status=BROKEN, message=message)
        shown = shown_by_both(pair, found)
        tally.add(compared(shown, expected(pair, draw, settings, mode == TRAIN)))
        if failing is None and tally.shares[-1] > 1:
            failing = shown
    tensors = tuple(tally.tensors.values())
    cell = replace(_passed(pair, settings, mode), tensors=tensors, shares=tuple(tally.shares))
    if failing is not None:
        cell = replace(cell, status=FAILED, message=_message(pair, cell, failing))
    return replace(cell, seconds=time.perf_counter() - start)


def _message(pair: Pair, cell: Cell, found: Outcome) -> str:
    one, other = pair.one.theirs.title, pair.other.theirs.title
    settings = f"{cell.mode}, {cell.dtype}, seed {cell.seed}"
    head = f"{one} is not {other} in {settings}; both have the same weights {pair.how}."
    lines = sentences(head, cell.tensors, found)
    if pair.block is None:
        lines.append(f"{MEASURED}.")
    return "\n".join(lines)


def _passed(pair: Pair, settings: Settings, mode: str) -> Cell:
    one, other = pair.one.theirs, pair.other.theirs
    runtimes = f"{one.runtime} and {other.runtime}"
    name, text = one.title, other.title
    if pair.block is not None:
        name, text = type(pair.block).__name__, repr(pair.block)
    return Cell(name, text, runtimes, settings.dtype, mode, (settings.shape,), settings.seed, PASSED)


def _which(pair: Pair, layers: Sequence[object], settings: Settings) -> list[str]:
    """Say of each of the two whether it is the block."""
    assert pair.block is not None
    found = []
    for layer, candidate in zip(layers, (pair.one, pair.other), strict=True):
        checked = check(layer, pair.block, settings)
        found.append(checked.message or f"{capital(candidate.theirs.title)} is {pair.block!r}.")
    return found
