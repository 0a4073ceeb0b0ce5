"""The classes of a network's source: their arguments, members and instances."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from attn_core.tf1.network.steps import Step
from attn_core.tf1.write.common_fields import SIZES, padding
from attn_core.tf1.write.names import IMPORTED, class_name, identifier, plain, snake, unique
from attn_core.tf1.write.signature import families, shape
from attn_core.tf1.write.structure import Item, Region

LONGEST = 48  # letters of a layer's name; of a longer one, the last
LETTERS = [*"BCDEFGHIJKLMNOPQRSTUVWXYZ", *(f"_{number}" for number in range(27, 10_000))]


@dataclass(frozen=True)
class Argument:
    """An argument of a class; `default` is code, or empty where instances must say it."""

    name: str
    default: str = ""


@dataclass(frozen=True)
class Layer:
    """A member that is a step's layer; `code` says its fields as the source does, by argument or number."""

    name: str
    step: Step
    code: Mapping[str, str]
    varying: Mapping[str, tuple[Any, ...]]
    guard: str = ""


@dataclass(frozen=True)
class Instances:
    """A member that is one instance of a class, or several in a row."""

    name: str
    kinds: tuple[str, ...]
    regions: tuple[Region, ...]
    arguments: tuple[Mapping[str, str], ...]

    @property
    def several(self) -> bool:
        """Whether it is a list."""
        return len(self.regions) > 1


Member = Layer | Instances


@dataclass
class ClassPlan:
    """A class: the region it was made of stands for all its instances."""

    name: str
    region: Region
    arguments: list[Argument] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    shortcut: tuple[Step, ...] = ()
    guard: str = ""
    doc: str = ""

    def member(self, item: Item) -> Member:
        """Return the member that computes an item."""
        for member in self.members:
            if isinstance(member, Layer) and isinstance(item, Step) and shared(member.step, item):
                return member
            if isinstance(member, Instances) and item in member.regions:
                return member
        raise KeyError(item.name)


def shared(first: Step, second: Step) -> bool:
    """Whether two steps are one layer, used twice."""
    ours, theirs = (tuple(leaf.names for leaf in step.arrays.values()) for step in (first, second))
    return first is second or (first.kind == second.kind and ours == theirs and bool(ours) and all(ours))


@dataclass
class Plan:
    """All classes, the network's last, and where each step's weights are in it."""

    classes: list[ClassPlan]
    places: dict[str, str]


def plan(network: Region) -> Plan:
    """Plan the source of a network."""
    return _Planner(network).plan()


class _Planner:
    def __init__(self, network: Region) -> None:
        self.network = network
        found = [family for family in families(_inside(network)) if len(family) > 1 or _forks(family[0])]
        repeated = [family for family in found if family[0].scope or len(family) > 1]
        self.families = [family for family in repeated if not _row(family[0], repeated)]
        self.names = dict.fromkeys(IMPORTED)
        self.classes: list[ClassPlan] = []
        self.of_region: dict[Region, ClassPlan] = {}
        self.member_of: dict[tuple[str, str], str] = {}

    def plan(self) -> Plan:
        """Plan classes from the inside out, then the network."""
        for family in sorted(self.families, key=lambda family: _depth(family[0])):
            self._class(family)
        name = _numbered(class_name(self.network.title) or "Network", self.names)
        whole = ClassPlan(name, _inlined(self.network, self.of_region), doc="The whole network.")
        self._fill(whole, [whole.region])
        self.classes.append(whole)
        return Plan(self.classes, dict(self._places(whole, whole.region, "")))

    def _class(self, family: list[Region]) -> None:
        template = max(family, key=lambda region: len(shape(region).shortcut))
        flat = [_inlined(region, self.of_region) for region in family]
        region = flat[family.index(template)]
        name, doc = _numbered(_called(family), self.names), _doc(family)
        found = ClassPlan(name, region, shortcut=shape(region).shortcut, doc=doc)
        self._fill(found, flat)
        self.classes.append(found)
        self.of_region.update(dict.fromkeys(family, found))

    def _fill(self, found: ClassPlan, instances: list[Region]) -> None:
        Filler(found, instances, self.of_region).fill()

    def _places(self, plan: ClassPlan, region: Region, prefix: str) -> Iterable[tuple[str, str]]:
        """Yield the place of each step of one instance."""
        for ours, item in _aligned(plan, region):
            member = plan.member(ours)
            if isinstance(member, Layer):
                yield item.name, f"{prefix}{member.name}"
            elif isinstance(item, Region):
                index = member.regions.index(ours) if isinstance(ours, Region) else 0
                inner = f"{prefix}{member.name}.{index}." if member.several else f"{prefix}{member.name}."
                child = self.of_region[item]
                yield from self._places(child, _inlined(item, self.of_region), inner)


def _inside(region: Region) -> Iterable[Region]:
    for item in region.items:
        if isinstance(item, Region):
            yield item
            yield from _inside(item)


def _depth(region: Region) -> int:
    return 1 + max((_depth(item) for item in region.items if isinstance(item, Region)), default=0)


def _forks(region: Region) -> bool:
    """Whether an author's scope holds branches that meet again."""
    return bool(region.scope) and any(len(item.inputs) > 1 for item in region.items if isinstance(item, Step))


def _row(region: Region, repeated: list[list[Region]]) -> bool:
    """Whether a region is nothing but instances of one class, one after the other."""
    return len(region.items) > 1 and any(all(item in family for item in region.items) for family in repeated)


def _inlined(region: Region, classes: Mapping[Region, ClassPlan]) -> Region:
    """Put the items of regions that are no class in place of them."""
    items: list[Item] = []
    for item in region.items:
        if isinstance(item, Region) and item not in classes:
            items.extend(_inlined(item, classes).items)
        else:
            items.append(item)
    return replace(region, items=tuple(items))


def _aligned(plan: ClassPlan, region: Region) -> Iterable[tuple[Item, Item]]:
    """Pair the items of a class's own region that have weights with those of an instance."""
    own = shape(region).shortcut
    gone = {step.name for step in plan.shortcut} if not own else set()
    ours = [item for item in plan.region.items if item.name not in gone]
    if own:
        ours = [i for i in plan.region.items if i not in plan.shortcut] + list(plan.shortcut)
        theirs = [i for i in region.items if i not in own] + list(own)
    else:
        theirs = list(region.items)
    for mine, item in zip(ours, theirs, strict=True):
        if isinstance(item, Region) or item.is_layer:
            yield mine, item


def _doc(family: list[Region]) -> str:
    """Say where a class comes from."""
    first = family[0].scope or next((step.path for step in family[0].steps() if step.arrays), family[0].name)
    more = f" and {len(family) - 1} more like it" if len(family) > 1 else ""
    start = "" if family[0].scope else "From "
    return f"{start}{plain(first)}{more}."


def _numbered(name: str, taken: dict[str, None]) -> str:
    """Return a class's name that is free: Unit, UnitB, UnitC."""
    found = next(each for each in (name, *(f"{name}{letter}" for letter in LETTERS)) if each not in taken)
    taken[found] = None
    return found


def _called(family: list[Region]) -> str:
    """Name a class by its instances' scopes, or by what it is."""
    titles = [region.title.rpartition("/")[2] for region in family]
    for found in (titles, [re.sub(r"\d+", "", title) for title in titles]):
        names = {class_name(title) for title in found}
        if len(names) == 1 and (name := names.pop()):
            return name
    kinds = [item.kind for item in family[0].items if isinstance(item, Step)]
    if "add" in kinds:
        return "ResidualBlock"
    return "Fork" if "concat" in kinds else "Block"


class Filler:
    """Finds the arguments and members of one class."""

    def __init__(self, found: ClassPlan, instances: list[Region], classes: Mapping[Region, ClassPlan]) -> None:
        self.plan, self.instances, self.classes = found, instances, classes
        self.columns = [dict(_column(found, region)) for region in instances]
        self.given: dict[tuple[Any, ...], str] = {}
        self.taken: dict[str, None] = {}  # by arguments and members alike: in Linen, both are attributes

    def fill(self) -> None:
        """Fill the class."""
        if self.plan.shortcut and any(not shape(region).shortcut for region in self.instances):
            self.plan.guard = "project"
            self.taken["project"] = None
        self._expect("inputs", lambda layers: (layers[0], "inputs"))
        self._expect("channels", lambda layers: (layers[-1], "outputs"))
        rows = _rows(self.plan.region, self.classes)
        for row in sorted(rows, key=lambda row: row[0] in self.plan.shortcut):  # which may use the others' arguments
            item = row[0]
            if isinstance(item, Region):
                self._instances([each for each in row if isinstance(each, Region)])
            elif item.is_layer and not self._known(item):
                self._layer(item)
        order = {id(item): place for place, item in enumerate(self.plan.region.items)}
        self.plan.members.sort(key=lambda m: order[id(m.step if isinstance(m, Layer) else m.regions[0])])
        values = {name: key for key, name in self.given.items()}
        self.plan.arguments = [Argument(name, _default(name, values[name])) for name in self.given.values()]
        self.plan.arguments.sort(key=lambda argument: bool(argument.default))
        if self.plan.guard:
            self.plan.arguments.append(Argument(self.plan.guard, "False"))

    def _expect(self, name: str, pick: Callable[[list[Step]], tuple[Step, str]]) -> None:
        """Call the channels of the first layer's input and of the last layer's output just that, if they differ."""
        items = (item for item in self.plan.region.items if item not in self.plan.shortcut)
        layers = [item for item in items if isinstance(item, Step) and "outputs" in sizes(item)]
        if layers:
            column = self._values(*pick(layers))
            if len(set(_known(column))) > 1 and column not in self.given:
                self.taken[name] = None
                self.given[column] = name

    def _known(self, step: Step) -> bool:
        return any(isinstance(member, Layer) and shared(member.step, step) for member in self.plan.members)

    def _layer(self, step: Step) -> None:
        codes, varying = {}, {}
        member = unique(self._name(step), self.taken)
        for name, value in sizes(step).items():
            column = self._values(step, name)
            same = len(set(_known(column))) == 1
            codes[name] = code(value) if same and not self._compatible(column) else self._argument(member, name, column)
            varying[name] = tuple(_known(column))
        if step.kind in ("conv", "depthwise"):
            varying["padding"] = tuple(_known(self._paddings(step)))
        guard = self.plan.guard if step in self.plan.shortcut else ""
        self.plan.members.append(Layer(member, step, codes, varying, guard))

    def _paddings(self, step: Step) -> tuple[Any, ...]:
        place = self.plan.region.items.index(step)
        found = [column.get(place) for column in self.columns]
        return tuple(padding(each) if isinstance(each, Step) else None for each in found)

    def _values(self, step: Step, name: str) -> tuple[Any, ...]:
        """Return a field's value in each instance, None where an instance has no such step."""
        place = self.plan.region.items.index(step)
        return tuple(sizes(found[place])[name] if (found := column).get(place) else None for column in self.columns)

    def _argument(self, member: str, field_name: str, column: tuple[Any, ...]) -> str:
        """Return the argument with these values, a new one, called by its member, if there is none yet."""
        for values, name in self.given.items():
            if all(a is None or b is None or a == b for a, b in zip(values, column, strict=True)):
                if None in values:
                    merged = tuple(b if a is None else a for a, b in zip(values, column, strict=True))
                    self.given = {(merged if n == name else v): n for v, n in self.given.items()}
                return name
        plain = {"outputs": "channels"}.get(field_name, field_name)
        name = plain if plain not in self.taken else unique(f"{member}_{plain}".lower(), self.taken)
        self.taken[name] = None
        self.given[column] = name
        return name

    def _compatible(self, column: tuple[Any, ...]) -> bool:
        """Whether a column with gaps, of a shortcut, is that of an argument."""
        return None in column and any(
            all(a is None or b is None or a == b for a, b in zip(values, column, strict=True)) for values in self.given
        )

    def _name(self, step: Step) -> str:
        """Return a layer's name: the author's if all instances have it, or else what it is called without number."""
        place = self.plan.region.items.index(step)
        there = [k for k, column in enumerate(self.columns) if column.get(place)]
        found = [self.columns[k][place] for k in there]
        scopes = [self.instances[k].within for k in there]
        return _common_name(local_name(each, scope) for each, scope in zip(found, scopes, strict=True)) or step.kind

    def _instances(self, regions: list[Region]) -> None:
        children = [self.classes[region] for region in regions]
        arguments = [self._arguments_of(*each) for each in zip(children, regions, strict=True)]
        scopes = {region.scope.rpartition("/")[0] for region in regions}
        inner = scopes.pop() if len(scopes) == 1 else ""
        inner = "" if inner == self.plan.region.scope else inner.rpartition("/")[2]
        if len(regions) == 1:
            place = self.plan.region.items.index(regions[0])
            same = [found for column in self.columns if isinstance(found := column.get(place), Region)]
            inner = _common_name(each.scope.rpartition("/")[2] for each in same)
        titled = bool(regions[0].title)
        plural = snake(children[0].name) + "s" * (len(regions) > 1 and not titled)
        name = unique(identifier(inner) if inner else plural, self.taken)
        self.plan.members.append(
            Instances(name, tuple(child.name for child in children), tuple(regions), tuple(arguments))
        )

    def _arguments_of(self, child: ClassPlan, region: Region) -> dict[str, str]:
        """Return what one instance of another class is given, by the values of its own layers."""
        values: dict[str, str] = {}
        place = self.plan.region.items.index(region)
        originals = [column.get(place) for column in self.columns]
        for argument in child.arguments:
            if argument.name == child.guard:
                values[argument.name] = str(bool(shape(region).shortcut))
                continue
            column = tuple(_value_of(child, original, argument.name, self.classes) for original in originals)
            differs = len(set(_known(column))) > 1
            member = snake(child.name)
            values[argument.name] = (
                self._argument(member, argument.name, column) if differs else code(_known(column)[0])
            )
        return values


def _common_name(names: Iterable[str]) -> str:
    """Return the name of all, or what they have in common without their numbers; empty if that is nothing."""
    found = set(names)
    bases = {re.sub(r"_?\d+(?=_|$)", "", name) for name in found} if len(found) > 1 else found
    return bases.pop() if len(bases) == 1 else ""


def _value_of(child: ClassPlan, region: Item | None, argument: str, classes: Mapping[Region, ClassPlan]) -> Any:
    """Return the number that one instance of a class has for an argument."""
    if not isinstance(region, Region):
        return None
    flat = _inlined(region, classes)
    for mine, item in _aligned(child, flat):
        member = child.member(mine)
        if isinstance(member, Layer) and isinstance(item, Step):
            for name, text in member.code.items():
                if text == argument:
                    return sizes(item)[name]
        elif isinstance(member, Instances) and isinstance(item, Region):
            index = member.regions.index(mine)
            for name, text in member.arguments[index].items():
                if text == argument:
                    return _value_of(classes[item], item, name, classes)
    return 1 if argument == "stride" else None


def _column(plan: ClassPlan, region: Region) -> Iterable[tuple[int, Item]]:
    """Yield the items of an instance by their place among the class's own."""
    for mine, item in _aligned(plan, region):
        yield plan.region.items.index(mine), item


def _known(column: Sequence[Any]) -> list[Any]:
    return [value for value in column if value is not None]


def _rows(region: Region, classes: Mapping[Region, ClassPlan]) -> list[list[Item]]:
    """Group the items: instances of one class that follow each other, and nothing else reads, form a row."""
    readers = Counter(name for item in region.items for name in item.inputs)
    rows: list[list[Item]] = []
    for item in region.items:
        last = rows[-1][-1] if rows else None
        if (
            isinstance(item, Region)
            and isinstance(last, Region)
            and (classes[item] is classes[last] or (item.scope and "/" in item.scope))
            and item.source == last.name
            and readers[last.name] == 1
            and item.scope.rpartition("/")[0] == last.scope.rpartition("/")[0]
        ):
            rows[-1].append(item)
        else:
            rows.append([item])
    return rows


def sizes(step: Item) -> dict[str, Any]:
    """Return the fields of a step in which instances of a class may differ."""
    if not isinstance(step, Step):
        return {}
    if step.kind == "attention":
        block = step.fields["block"]
        return {name: getattr(block, name) for name in ("channels", "hidden") if hasattr(block, name)}
    return {name: value for name, value in step.fields.items() if name in SIZES}


def code(value: Any) -> str:
    """Write a number, or a pair of equal ones as one."""
    if isinstance(value, tuple) and len(set(value)) == 1:
        return repr(value[0])
    return repr(value)


def _default(name: str, values: tuple[Any, ...]) -> str:
    known = {code(value) for value in _known(values)}
    return "1" if name.endswith("stride") and "1" in known else ""


def local_name(step: Item, scope: str) -> str:
    """Return what a layer is called inside a scope."""
    assert isinstance(step, Step)
    path = step.path
    if step.kind == "attention" and step.fields["block"] and path == _first_layer(step):
        path = f"{path.rpartition('/')[0]}/{snake(type(step.fields['block']).__name__)}".lstrip("/")
    inside = path.removeprefix(f"{scope}/") if scope else path
    if re.fullmatch(r"Const(_\d+)?", inside):
        return "constant"
    while len(inside) > LONGEST and "/" in inside:
        inside = inside.partition("/")[2]
    return identifier(inside[-LONGEST:])


def _first_layer(step: Step) -> str:
    names = [name for leaf in step.arrays.values() for name in leaf.names]
    return names[0].rpartition("/")[0] if names else ""
