"""From the blocks inside a block to classes: instances that differ in numbers alone share one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from attn_core.ejecting.languages.language import Language
from attn_core.ejecting.tracing.symbols import Trace
from attn_core.ejecting.writing.documents import docstring
from attn_core.ejecting.writing.holes import HOLE, ClassText, filled, hole


@dataclass(eq=False)
class Instance:
    """A block within the block: its place, how deep blocks are inside it, its text, and the call that makes it."""

    trace: Trace
    place: tuple[str, ...]
    inside: dict[str, Instance] = field(default_factory=dict)
    call: str = ""

    @property
    def height(self) -> int:
        """How many blocks are inside one another."""
        return 1 + max((each.height for each in self.inside.values()), default=-1)

    def all(self) -> Iterator[Instance]:
        """Yield every instance, those inside first."""
        for each in self.inside.values():
            yield from each.all()
        yield self


def instances(trace: Trace, place: tuple[str, ...] = ()) -> Instance:
    """Return the tree of blocks."""
    return Instance(trace, place, {name: instances(run, (*place, name)) for name, run in trace.inside.items()})


Masked = tuple[tuple[str, ...], ...]
Group = list[tuple[Instance, ClassText]]  # instances of one class


def class_lines(root: Instance, language: Language) -> list[list[str]]:
    """Return the lines of each class, those first that others need."""
    found: list[list[str]] = []
    taken = set(language.helpers)
    every = list(root.all())
    for height in range(root.height + 1):
        groups: dict[tuple[str, Masked], Group] = {}
        for each in (each for each in every if each.height == height):
            text = language.text(each.trace, {name: inner.call for name, inner in each.inside.items()})
            groups.setdefault((_own_name(each), text.masked), []).append((each, text))
        for name, group in _named(list(groups.values()), taken):
            found.append(_class(name, group, language))
    return found


def _own_name(instance: Instance) -> str:
    return type(instance.trace.block).__name__


def _named(groups: list[Group], taken: set[str]) -> Iterator[tuple[str, Group]]:
    """Yield groups with names for their classes."""
    for group in groups:
        alike = [other for other in groups if _own_name(other[0][0]) == _own_name(group[0][0])]
        wanted = _wanted(group, alike)
        name = next(name for name in (wanted, *(f"{wanted}{i}" for i in range(2, 10_000))) if name not in taken)
        taken.add(name)
        yield name, group


def _wanted(group: Group, alike: list[Group]) -> str:
    """Return the block's name; of several classes of that name, with what one has beside the others, or its place."""
    name, parts = _own_name(group[0][0]), _parts(group)
    if len(alike) == 1:
        return name
    fewest = min(map(_parts, alike), key=len)
    more = {part.removesuffix("_norm") for part in parts - fewest}
    if len(more) < 2 and not any(letter.isdigit() for part in more for letter in part) and _differ(alike):
        return name + "".join(f"With{part.capitalize()}" for part in more)
    place = "".join(word.capitalize() for word in group[0][0].place[-1].split("_"))
    return place if name.lower() in place.lower() else f"{place}{name}"


def _parts(group: Group) -> frozenset[str]:
    return frozenset(group[0][0].trace.block.parts())


def _differ(alike: list[Group]) -> bool:
    return len({*map(_parts, alike)}) == len(alike)


def _class(name: str, group: Group, language: Language) -> list[str]:
    """Return the lines of a class, and tell its instances how they are made."""
    columns = list(zip(*(text.numbers for _, text in group), strict=True))
    arguments: dict[tuple[str, ...], str] = {}
    values = []
    for column in columns:
        numbers = tuple(number for _, number in column)
        if len(set(numbers)) == 1:
            values.append(numbers[0])
            continue
        if numbers not in arguments:
            arguments[numbers] = _argument(column[0][0], numbers, group, set(arguments.values()))
        values.append(arguments[numbers])
    for i, (instance, text) in enumerate(group):
        given = {argument: hole(argument, numbers[i]) for numbers, argument in arguments.items()}
        instance.call = language.instance(name, given, bool(text.init))
    first = _of_all(group)
    text = filled(first, values, {name: numbers[0] for numbers, name in arguments.items()}, language.reference)
    return [*text.helpers, *language.assembled(name, list(arguments.values()), _documented(text))]


def _of_all(group: Group) -> ClassText:
    """Return the first text, without the shapes in its docstring if those of others are unlike in more than numbers."""
    first = group[0][1]
    docs = {tuple(HOLE.sub("", line) for line in text.doc) for _, text in group}
    if len(docs) == 1:
        return first
    start = next(i for i, line in enumerate(first.doc) if line.startswith("Shape:"))
    end = next((i for i in range(start, len(first.doc)) if not first.doc[i]), len(first.doc))
    return replace(first, doc=(*first.doc[:start], *first.doc[end + 1 :]))


def _argument(label: str, numbers: tuple[str, ...], group: Group, taken: set[str]) -> str:
    """Name an argument: as the field or property of the block that has these numbers, or as the label says."""
    blocks = [instance.trace.block for instance, _ in group]
    known = [*blocks[0].config(), *(name for name in vars(type(blocks[0])) if not name.startswith("_")), "width"]
    for name in dict.fromkeys(known):
        if name not in taken and tuple(str(getattr(block, name, None)) for block in blocks) == numbers:
            return name
    return label if label not in taken else f"{label}{len(taken)}"


def _documented(text: ClassText) -> ClassText:
    """Return a text with its docstring as lines of a class."""
    return ClassText((*docstring(text.doc), ""), text.init, text.functions, text.helpers)
