"""Values of all instances of a class side by side, and the arguments that say them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from attn_core.porting.write.classes import Argument
from attn_core.porting.write.identifiers import unique
from attn_core.porting.write.spelling import number

Column = tuple[Any, ...]  # a value of each instance; None where an instance has no such step


def known(column: Column) -> list[Any]:
    """Return the values of the instances that have one."""
    return [value for value in column if value is not None]


def differs(column: Column) -> bool:
    """Whether not all instances have the same value."""
    return len(set(known(column))) > 1


def agree(first: Column, second: Column) -> bool:
    """Whether two columns are the same in the instances that have both."""
    pairs = zip(first, second, strict=True)
    return all(mine is None or theirs is None or mine == theirs for mine, theirs in pairs)


def merged(first: Column, second: Column) -> Column:
    """Fill the gaps of one column from another."""
    pairs = zip(first, second, strict=True)
    return tuple(theirs if mine is None else mine for mine, theirs in pairs)


@dataclass
class Arguments:
    """The arguments of one class by name, each with its value in every instance.

    Two layers whose values agree in all instances share an argument. `taken` are names of arguments and members alike:
    in Linen, both are attributes.
    """

    taken: dict[str, None] = field(default_factory=dict)
    columns: dict[str, Column] = field(default_factory=dict)

    def expect(self, name: str, column: Column) -> None:
        """Give a column that differs its usual name, before a layer gives it one."""
        if differs(column) and column not in self.columns.values():
            self._add(name, column)

    def name(self, member: str, size: str, column: Column) -> str:
        """Return the argument with these values, a new one, called by its member, if there is none yet."""
        found = self._agreeing(column)
        if found is not None:
            # A shortcut's column has gaps; the next one that fills them must agree with this one, too.
            self.columns[found] = merged(self.columns[found], column)
            return found
        name = self._new_name(member, "channels" if size == "outputs" else size)
        self._add(name, column)
        return name

    def fits(self, column: Column) -> bool:
        """Whether a column with gaps, of a shortcut, is that of an argument."""
        return None in column and self._agreeing(column) is not None

    def listed(self) -> Iterable[Argument]:
        """Return them as a function has them, those with a default last."""
        found = [Argument(name, _default(name, column)) for name, column in self.columns.items()]
        return sorted(found, key=lambda argument: bool(argument.default))

    def _agreeing(self, column: Column) -> str | None:
        return next((name for name, values in self.columns.items() if agree(values, column)), None)

    def _new_name(self, member: str, size: str) -> str:
        if size not in self.taken:
            return size
        return unique(f"{member}_{size}".lower(), self.taken)

    def _add(self, name: str, column: Column) -> None:
        self.taken[name] = None
        self.columns[name] = column


def _default(name: str, column: Column) -> str:
    """Return an argument's default: a stride is hardly ever said where it is 1."""
    written = {number(value) for value in known(column)}
    return "1" if name.endswith("stride") and "1" in written else ""
