"""Interpreter: text. Runs a block on the symbol x and returns the formula that it computes."""

from __future__ import annotations

import itertools
import string
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from attn_core.models.stage import Stage
from attn_core.spec import Block, Bound, Part, parts

ATOM, PRODUCT, SUM = range(3)  # how tightly a term holds together


@dataclass(frozen=True, eq=False)
class Term:
    """A piece of a formula: a text with a place `{}` for each of the terms in it."""

    text: str
    inner: tuple[Term, ...] = ()
    tightness: int = ATOM


def formula(block: Block) -> str:
    """Return the block's output as a formula in plain text, with x for the image.

    What the formula needs more than once gets a letter and a line of its own, before the last line.
    """
    output: Term = bind(block, "")(Term("x"), *map(Term, block.inputs[1:]))
    letters = _letters()
    names = {id(term): next(letters) for term in _shared(output)}
    lines = [f"{names[id(term)]} = {_text(term, names, whole=True)}" for term in _shared(output)]
    return "\n".join([*lines, f"y = {_text(output, names, whole=True)}"])


def _letters() -> Iterator[str]:
    free = string.ascii_lowercase.replace("x", "").replace("y", "")
    yield from free
    yield from (f"{letter}{i}" for i in itertools.count(1) for letter in free)


def _shared(output: Term) -> list[Term]:
    """Return the terms that occur in more than one place, those first that others need."""
    order = list({id(term): term for term in _visit(output, set())}.values())
    uses = Counter(id(inner) for term in order for inner in term.inner)
    return [term for term in order if uses[id(term)] > 1 and term.inner]


def _visit(term: Term, seen: set[int]) -> Iterator[Term]:
    if id(term) not in seen:
        seen.add(id(term))
        for inner in term.inner:
            yield from _visit(inner, seen)
        yield term


def _text(term: Term, names: dict[int, str], *, whole: bool = False) -> str:
    if id(term) in names and not whole:
        return names[id(term)]
    wanted = {PRODUCT: PRODUCT, SUM: SUM}.get(term.tightness, SUM)
    return term.text.format(*(_wrapped(inner, names, wanted) for inner in term.inner))


def _wrapped(term: Term, names: dict[int, str], wanted: int) -> str:
    text = _text(term, names)
    return f"({text})" if term.tightness > wanted and id(term) not in names else text


# ---- parts -----------------------------------------------------------------------------------------------------------


@singledispatch
def bind(part: Part | Block, name: str) -> Any:
    """Turn a part into a function on terms."""
    raise NotImplementedError(f"formulas have no {type(part).__name__}")


@bind.register
def _block(part: Block, name: str) -> Bound:
    prefix = f"{name}." if name else ""
    return Bound(part, PRIMITIVES, {child: bind(inner, prefix + child) for child, inner in part.parts().items()})


@bind.register(Stage)
def _stage(part: Stage, name: str) -> Callable[[Term], Term]:
    """Name it: what its blocks compute, each of them shows."""
    return _function(name)


@bind.register
def _dense(part: parts.Dense, name: str) -> Callable[[Term], Term]:
    if part.bias:
        return lambda x: Term(f"{name}.weight @ {{}} + {name}.bias", (x,), SUM)
    return lambda x: Term(f"{name}.weight @ {{}}", (x,), PRODUCT)


@bind.register(parts.Conv)
@bind.register(parts.BatchNorm)
@bind.register(parts.GroupNorm)
@bind.register(parts.LayerNorm)
@bind.register(parts.Dropout)
def _named(part: Part, name: str) -> Callable[[Term], Term]:
    return _function(name)


@bind.register
def _affine(part: parts.Affine, name: str) -> Callable[[Term], Term]:
    if not part.bias:
        return lambda x: Term(f"{name}.weight * {{}}", (x,), PRODUCT)
    return lambda x: Term(f"{name}.weight * {{}} + {name}.bias", (x,), SUM)


class RunningTerm:
    """A `Running` part: a call returns its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self) -> Term:
        """Return the array's name."""
        return Term(f"{self.name}.value")

    def update(self, new: Term) -> None:
        """Say nothing: the formula is that of the output."""


@bind.register
def _running(part: parts.Running, name: str) -> RunningTerm:
    return RunningTerm(name)


# ---- primitives ------------------------------------------------------------------------------------------------------


def _function(name: str) -> Callable[..., Term]:
    """Return a function of terms, then of constants."""

    def run(*arguments: Any) -> Term:
        terms = tuple(a for a in arguments if isinstance(a, Term))
        constants = [f", {a}" for a in arguments if not isinstance(a, Term)]
        return Term(f"{name}({', '.join(['{}'] * len(terms))}{''.join(constants)})", terms)

    return run


class Text:
    """The primitives on terms."""

    def __getattr__(self, name: str) -> Callable[..., Term]:
        return _function(name)

    global_mean, global_max = staticmethod(_function("mean")), staticmethod(_function("max"))

    def scale(self, x: Term, gate: Term) -> Term:
        """See `Primitives.scale`."""
        return Term("{} * {}", (x, gate), PRODUCT)

    multiply = scale

    def add(self, a: Term, b: Term) -> Term:
        """See `Primitives.add`."""
        return Term("{} + {}", (a, b), SUM)

    shift = add

    def linear(self, x: Term, factor: float, offset: float = 0.0) -> Term:
        """See `Primitives.linear`."""
        product = Term(f"{factor:g} * {{}}", (x,), PRODUCT) if factor != 1 else x
        return Term(f"{{}} + {offset:g}", (product,), SUM) if offset else product

    def split(self, x: Term, pieces: int) -> Sequence[Term]:
        """See `Primitives.split`."""
        return [Term(f"split({{}}, {pieces})[{i}]", (x,)) for i in range(pieces)]

    def concat(self, pieces: Sequence[Term]) -> Term:
        """See `Primitives.concat`."""
        return Term(f"concat({', '.join(['{}'] * len(pieces))})", tuple(pieces))

    def join(self, images: Sequence[Term]) -> Term:
        """See `Primitives.join`."""
        return Term(f"join({', '.join(['{}'] * len(images))})", tuple(images))

    def cut(self, line: Term, like: Sequence[Term]) -> Sequence[Term]:
        """See `Primitives.cut`; what it is cut like is what was joined."""
        return [Term(f"cut({{}})[{i}]", (line,)) for i in range(len(like))]

    def einsum(self, equation: str, *operands: Term) -> Term:
        """See `Primitives.einsum`."""
        return Term(f"einsum('{equation}', {', '.join(['{}'] * len(operands))})", operands)

    def take(self, x: Term, index: Any) -> Term:
        """See `Primitives.take`."""
        return Term("take({}, index)", (x,))

    def over_positions(self, x: Term, tokens: Term) -> Term:
        """See `Primitives.over_positions`."""
        return Term("{} / positions", (x,), PRODUCT)

    def stop_gradient(self, x: Term) -> Term:
        """See `Primitives.stop_gradient`; of no effect on numbers."""
        return x


PRIMITIVES: Any = Text()
