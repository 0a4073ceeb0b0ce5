"""One layer against the definition of a block: draws, bounds, and what to say of a difference."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attn_core.interpreters.rounding import bounded
from attn_core.interpreters.shapes import output_shape
from attn_core.interpreters.trace import trace
from attn_core.parity.comparing import compared
from attn_core.parity.foreign.explaining import Difference, explained
from attn_core.parity.foreign.layer import ForeignError, adopt
from attn_core.parity.foreign.parting import parting
from attn_core.parity.foreign.running import Draw, Subject, drawn
from attn_core.parity.foreign.ways import read
from attn_core.parity.foreign.wording import broken_sentence, sentences
from attn_core.parity.result import BROKEN, FAILED, PASSED, Cell, Tensor
from attn_core.parity.subjects import standard_shapes
from attn_core.spec import Block

MODES = ("eval", "train")


@dataclass(frozen=True)
class Settings:
    """How a layer is compared: the image's shape, the type, the modes, the seed, how often, and Keras' layout."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    modes: tuple[str, ...] = ("eval",)
    seed: int = 0
    draws: int = 3
    data_format: str | None = None


@dataclass(frozen=True)
class Checked:
    """What a comparison found: a cell for each mode, and how the weights were taken over."""

    cells: tuple[Cell, ...]
    how: str

    @property
    def passed(self) -> bool:
        """Whether all is within bounds."""
        return all(cell.status == PASSED for cell in self.cells)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The worst of each tensor over the modes, by name."""
        every = sorted((tensor for cell in self.cells for tensor in cell.tensors), key=lambda tensor: tensor.share)
        return {tensor.name: tensor for tensor in every}

    @property
    def share(self) -> float:
        """The worst error / bound."""
        return max((cell.share for cell in self.cells), default=0.0)

    @property
    def message(self) -> str:
        """What went wrong, for all modes."""
        return "\n".join(cell.message for cell in self.cells if cell.message)


def modes_of(block: Block) -> tuple[str, ...]:
    """Return the modes in which a block differs: training only where it keeps statistics."""
    return MODES if any(not array.trainable for array in block.arrays().values()) else MODES[:1]


def settled(block: Block | None, shape: Sequence[int] | None, modes: Sequence[str] | None, **rest: Any) -> Settings:
    """Return the settings, with the block's where none are given. **Raises** `ForeignError`."""
    if shape is None and block is None:
        raise ForeignError("Two layers are compared on images of a shape that is given: shape=(2, 64, 14, 14).")
    unknown = [mode for mode in modes or () if mode not in MODES]
    if unknown:
        raise ForeignError(f"There is no mode {unknown[0]!r}; the modes are eval and train.")
    own = modes_of(block) if block is not None and modes is None else tuple(modes or MODES[:1])
    found = tuple(shape) if shape is not None else standard_shapes(block)[0]  # type: ignore[arg-type]
    return Settings(found, modes=own, **rest)


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
    out = tuple(map(int, filter(None, output_shape(block, settings.shape))))
    theirs = adopt(layer, settings.shape, data_format=settings.data_format)
    subject = Subject(theirs, read(theirs, block, dialect, mapping))
    own, fixed = subject.weights(), subject.reading.absent
    draws = [drawn(own, fixed, settings.shape, out, settings.seed, i, settings.dtype) for i in range(settings.draws)]
    cells = tuple(_cell(subject, block, draws, settings, mode) for mode in settings.modes)
    return Checked(cells, subject.reading.how)


def _cell(subject: Subject, block: Block, draws: list[Draw], settings: Settings, mode: str) -> Cell:
    start = time.perf_counter()
    worst: dict[str, Tensor] = {}
    shares: list[float] = []
    failing: Difference | None = None
    status, message, where = PASSED, "", ""
    for draw in draws:
        try:
            it = _run(subject, block, draw, settings.dtype, mode == "train")
        except _RaisedError as raised:
            status, failing = BROKEN, None
            message = broken_sentence(subject.theirs.title, raised.error, block, settings.shape, mode)
            break
        tensors = compared(it.found, it.wanted)
        shares.append(max(tensor.share for tensor in tensors))
        worst |= {t.name: t for t in tensors if t.name not in worst or t.share > worst[t.name].share}
        failing = _more_telling(failing, it if shares[-1] > 1 else None)
    if failing is not None:
        status = FAILED
        where, message = _told(failing, settings.seed)
    given = (type(block).__name__, repr(block), subject.theirs.runtime, settings.dtype, mode, (settings.shape,))
    seconds = time.perf_counter() - start
    return Cell(*given, settings.seed, status, tuple(worst.values()), tuple(shares), message, where, seconds)


class _RaisedError(Exception):
    """Somebody's layer raised."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def _run(subject: Subject, block: Block, draw: Draw, dtype: str, train: bool) -> Difference:
    try:
        found = subject.run(draw, dtype, train)
    except ForeignError:
        raise
    except Exception as error:
        raise _RaisedError(error) from error
    wanted = bounded(block, draw.weights, draw.x, draw.cotangent, dtype, train, unbiased=subject.unbiased)
    return Difference(subject, block, draw, found, subject.compared(wanted), dtype, train)


def _more_telling(one: Difference | None, other: Difference | None) -> Difference | None:
    """Return the first, or the second if its output differs and the first's does not."""
    if one is None or other is None or "output" in one.beyond:
        return one or other
    return other if "output" in other.beyond else one


def _told(it: Difference, seed: int) -> tuple[str, str]:
    """Return the step at which the two part ways, and the whole message."""
    beyond = it.beyond
    where, sentence = _parting(it) if "output" in beyond else (_part(beyond), "")
    head = f"{it.subject.theirs.title} is not {it.block!r}"
    mode, more = "train" if it.train else "eval", f"its weights were taken over {it.subject.reading.how}"
    lines = sentences(f"{head} in {mode}, {it.dtype}, seed {seed}; {more}.", compared(it.found, it.wanted), it.found)
    return where, "\n".join([*lines, *filter(None, (sentence, explained(it)))])


def _parting(it: Difference) -> tuple[str, str]:
    steps = trace(it.block, it.draw.weights, it.draw.x, it.train)
    calls = it.subject.calls(it.draw, it.dtype, it.train)
    return parting(steps, calls, it.subject.reading.layers(), it.dtype)


def _part(beyond: list[str]) -> str:
    """Return the part whose running arrays alone are wrong."""
    parts = {name.removeprefix("stat:").rpartition(".")[0] for name in beyond if name.startswith("stat:")}
    return parts.pop() if len(parts) == 1 and all(name.startswith("stat:") for name in beyond) else ""
