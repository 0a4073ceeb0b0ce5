"""Blocks in other people's names and layouts, read and written without loss, or refused with the reason.

One file for each source, each a table of its names against the canonical block; `docs/dialects.md` lists them. Files
with `DIALECTS` or `REFUSED` are found by themselves.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from numpy.typing import ArrayLike, NDArray

from attn_core.spec import Block
from attn_core.weights import Weights
from attn_core.weights.dialects.dialect import Dialect, InexpressibleError
from attn_core.weights.dialects.find import Found, read_every, read_one
from attn_core.weights.dialects.guess import Guess, guesses
from attn_core.weights.dialects.held import Held
from attn_core.weights.dialects.refused import Refused
from attn_core.weights.files.arrays import tell_undefined
from attn_core.weights.files.errors import DialectError
from attn_core.weights.files.state import read_file, write_file

__all__ = [
    "Dialect",
    "DialectError",
    "Guess",
    "InexpressibleError",
    "get",
    "guess",
    "names",
    "read",
    "read_all",
    "read_file",
    "refused",
    "write",
    "write_file",
]

_FIRST = ("seeds", "tf1", "timm", "torchvision")  # in a guess, where arrays fit several sources alike
_FILES = [file.name for file in iter_modules(__path__) if file.name != "convert"]  # which needs all of what is here
_FILES.sort(key=lambda name: (name not in _FIRST, name))
_SOURCES = [import_module(f"{__name__}.{name}") for name in _FILES]
_DIALECTS: dict[str, Dialect] = {each.name: each for source in _SOURCES for each in getattr(source, "DIALECTS", ())}
_REFUSED: dict[str, Refused] = {each.name: each for source in _SOURCES for each in getattr(source, "REFUSED", ())}


def names() -> list[str]:
    """Return the names of all dialects."""
    return sorted(_DIALECTS)


def refused() -> list[Refused]:
    """Return the classes that are recognised, and that no block here can express."""
    return list(_REFUSED.values())


def get(name: str) -> Dialect:
    """Return a dialect. **Raises** `DialectError` for a name that is none, or one of a class that is refused."""
    if name in _REFUSED:
        raise DialectError(_REFUSED[name].because)
    if name not in _DIALECTS:
        spellings = {known.lower(): known for known in _DIALECTS}
        near = [spellings[each] for each in difflib.get_close_matches(name.lower(), spellings, n=3, cutoff=0.4)]
        hint = f"nearest: {', '.join(near)}" if near else f"known: {', '.join(names())}"
        raise DialectError(f"There is no dialect {name!r}; {hint}.")
    return _DIALECTS[name]


def read(name: str, state: Mapping[str, Any], *, prefix: str | None = None, **options: Any) -> tuple[Block, Weights]:
    """Return the block that arrays of this dialect are of, and its canonical weights.

    `state` are arrays of NumPy or any framework by their names there, those of one block or of a whole network.
    `prefix` is what stands before the block's names, as ``layer1.0.se.``; it is found where only one block is there.
    `options` are fields of the block that sizes do not tell (`get(name).options`, with the values of their class).

    NaN and infinity are kept, with an `UndefinedWarning`.
    **Raises** `DialectError` that names each array missing, left over or misshapen, with the shape expected.
    """
    dialect, held = get(name), Held(state)
    if prefix is None:
        found = read_one(dialect, held, options, _hiders(name))
    else:
        found = dialect.read(held.named(dialect.numbered), _ended(dialect, prefix), **options)
    tell_undefined(name, found[1])
    return found


def read_all(name: str, state: Mapping[str, Any], **options: Any) -> dict[str, Found]:
    """Return all blocks of this dialect in a network's arrays, and their weights, by their prefixes.

    Arrays of other layers are left alone. **Raises** `DialectError` as `read` does, and if there is no block.
    """
    found = read_every(get(name), Held(state), options, _hiders(name))
    for prefix, (_, weights) in found.items():
        tell_undefined(f"{name} at {prefix}" if prefix else name, weights)
    return found


def write(name: str, block: Block, weights: Mapping[str, ArrayLike], prefix: str = "") -> dict[str, NDArray[Any]]:
    """Return the arrays that their code loads: names, layouts and dtypes.

    With PyTorch's batch norms come their counters, as 0. **Raises** `DialectError` that says why the dialect cannot
    express the block, `WeightsError` for weights that are not the block's.
    """
    dialect = get(name)
    return dialect.write(block, weights, _ended(dialect, prefix))


def guess(state: Mapping[str, Any]) -> list[Guess]:
    """Return the dialects that the arrays may be in, best first, with what speaks for and against each."""
    return guesses(Held(state), _DIALECTS.values(), _REFUSED.values())


def _hiders(name: str) -> list[Dialect]:
    return [dialect for dialect in _DIALECTS.values() if name in dialect.hides]


def _ended(dialect: Dialect, prefix: str) -> str:
    """Return the prefix with the character that ends it."""
    return prefix if not prefix or prefix[-1] in dialect.boundary else prefix + dialect.boundary[0]
