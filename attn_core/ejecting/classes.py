"""From the blocks inside a block to classes: instances that differ in numbers alone share one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from attn_core.ejecting.documents import docstring
from attn_core.ejecting.holes import ClassText, filled, hole
from attn_core.ejecting.languages.language import Language
from attn_core.ejecting.symbols import Trace


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


def class_lines(root: Instance, language: Language) -> list[list[str]]:
    """Return the lines of each class, those first that others need."""
    found: list[list[str]] = []
    names: dict[str, ClassText] = {}
    every = list(root.all())
    for height in range(root.height + 1):
        groups: dict[tuple[str, ClassText], list[tuple[Instance, ClassText]]] = {}
        for each in (each for each in every if each.height == height):
            text = language.text(each.trace, {name: inner.call for name, inner in each.inside.items()})
            groups.setdefault((_own_name(each), text.masked), []).append((each, text))
        for (name, masked), members in groups.items():
            free = _free_name(name, members[0][0], names)
            names[free] = masked
            found.append(_class(free, members, language))
    return found


def _own_name(instance: Instance) -> str:
    return type(instance.trace.block).__name__


def _free_name(wanted: str, instance: Instance, taken: dict[str, ClassText]) -> str:
    """Return a name for a class, by its place if another one has the block's."""
    place = "".join(word.capitalize() for part in instance.place[-1:] for word in part.split("_"))
    by_place = place if wanted.lower() in place.lower() else f"{place}{wanted}"
    extra = [name for name in instance.trace.block.parts() if name == "shortcut"]
    by_part = [f"{wanted}With{name.capitalize()}" for name in extra]
    for name in (wanted, *by_part, by_place, *(f"{wanted}{i}" for i in range(2, 1000))):
        if name not in taken and name:
            return name
    raise RuntimeError(f"there is no free name like {wanted!r}")


def _class(name: str, members: list[tuple[Instance, ClassText]], language: Language) -> list[str]:
    """Return the lines of a class, and tell its instances how they are made."""
    columns = list(zip(*(text.numbers for _, text in members), strict=True))
    arguments: dict[tuple[str, ...], str] = {}
    values = []
    for column in columns:
        numbers = tuple(number for _, number in column)
        if len(set(numbers)) == 1:
            values.append(numbers[0])
            continue
        if numbers not in arguments:
            arguments[numbers] = _argument(column[0][0], numbers, members, set(arguments.values()))
        values.append(arguments[numbers])
    for i, (instance, _) in enumerate(members):
        given = {argument: hole(argument, numbers[i]) for numbers, argument in arguments.items()}
        instance.call = language.instance(name, given, bool(members[0][1].init))
    text = filled(members[0][1], values, language.reference)
    return [*text.helpers, *language.assembled(name, list(arguments.values()), _documented(text))]


def _argument(label: str, numbers: tuple[str, ...], members: list[tuple[Instance, ClassText]], taken: set[str]) -> str:
    """Name an argument: as the field or property of the block that has these numbers, or as the label says."""
    blocks = [instance.trace.block for instance, _ in members]
    known = [*blocks[0].config(), *(name for name in vars(type(blocks[0])) if not name.startswith("_")), "width"]
    for name in dict.fromkeys(known):
        if name not in taken and tuple(str(getattr(block, name, None)) for block in blocks) == numbers:
            return name
    return label if label not in taken else f"{label}{len(taken)}"


def _documented(text: ClassText) -> ClassText:
    """Return a text with its docstring as lines of a class."""
    return ClassText((*docstring(text.doc), ""), text.init, text.functions, text.helpers)
