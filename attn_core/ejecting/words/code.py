"""Pieces of expressions, and how they are put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from attn_core.ejecting.tracing.symbols import Symbol

ATOM, PRODUCT, SUM = range(3)  # how tightly an expression holds together


@dataclass(frozen=True)
class Code:
    """An expression."""

    text: str
    level: int = ATOM

    def within(self, level: int) -> str:
        """Return the text as part of an expression of this level, in brackets if it needs them."""
        return f"({self.text})" if self.level > level else self.text

    def __str__(self) -> str:
        return self.within(ATOM)


@dataclass(frozen=True)
class Operand(Code):
    """The expression of a symbol."""

    symbol: Symbol = field(default_factory=lambda: Symbol((), False))

    @property
    def axes(self) -> int:
        """Its number of axes."""
        return len(self.symbol.shape)

    @property
    def rank(self) -> int:
        """Its number of spatial axes, if it is an image."""
        return self.axes - 2


def product(a: Code, b: Code) -> Code:
    """Write a * b."""
    return Code(f"{a.within(PRODUCT)} * {b}", PRODUCT)


def total(a: Code, b: Code) -> Code:
    """Write a + b."""
    return Code(f"{a.text} + {b.text}", SUM)


def quotient(a: Code, b: str) -> Code:
    """Write a / b."""
    return Code(f"{a.within(PRODUCT)} / {b}", PRODUCT)


def linear(x: Code, factor: float, offset: float) -> Code:
    """Write factor * x + offset without what does nothing; a part of one as a division."""
    whole = round(1 / factor) if factor and abs(factor) < 1 else 0
    if whole and 1 / whole == factor:
        scaled = quotient(x, str(whole))
    else:
        scaled = x if factor == 1 else Code(f"{plain(factor)} * {x}", PRODUCT)
    return Code(f"{scaled.text} + {plain(offset)}", SUM) if offset else scaled


def plain(number: float) -> str:
    """Write a number, whole ones without a point."""
    if float(number).is_integer() and abs(number) < 1e6:
        return str(int(number))
    return repr(number).replace("e-0", "e-")


def same(numbers: Sequence[object]) -> str:
    """Write a tuple of numbers, of equal ones the number."""
    return str(numbers[0]) if len(set(numbers)) == 1 else str(tuple(numbers))


def swaps(equation: str) -> bool:
    """Say whether an einsum only exchanges the last two of three axes."""
    given, _, kept = equation.partition("->")
    return len(given) == 3 and kept == given[0] + given[2] + given[1]


def sums_out(equation: str) -> int:
    """Return the axis that an einsum of one operand adds up, and nothing else; 0 for none."""
    given, _, kept = equation.partition("->")
    found = [axis for axis in range(1, len(given)) if given[:axis] + given[axis + 1 :] == kept]
    return found[0] if found and "," not in given else 0


def multiplies(equation: str) -> tuple[bool, bool] | None:
    """Return which operands a product of matrices transposes first, if an einsum is one."""
    given, _, kept = equation.partition("->")
    first, comma, second = given.partition(",")
    batch, rest = first[:1], first[1:]
    if not comma or "," in second or {len(first), len(second), len(kept)} != {3} or second[0] != batch:
        return None
    for turns in ((False, False), (False, True), (True, False)):
        a = rest[::-1] if turns[0] else rest
        b = second[:0:-1] if turns[1] else second[1:]
        if a[1] == b[0] and kept == batch + a[0] + b[1]:
            return turns
    return None
