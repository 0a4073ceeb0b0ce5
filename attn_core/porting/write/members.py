"""The arguments and members of one class, of all its instances."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.classes import Argument, ClassPlan, Instances, Layer, code, shared, sizes
from attn_core.porting.write.common_fields import padding
from attn_core.porting.write.instances import known, places, rows, value_of
from attn_core.porting.write.names import identifier, snake, unique
from attn_core.porting.write.signature import shape
from attn_core.porting.write.structure import Item, Region

LONGEST = 48  # letters of a layer's name; of a longer one, the last


class Filler:
    """Finds the arguments and members of one class."""

    def __init__(self, found: ClassPlan, instances: list[Region], classes: Mapping[Region, ClassPlan]) -> None:
        self.plan, self.instances, self.classes = found, instances, classes
        self.columns = [dict(places(found, region)) for region in instances]
        self.given: dict[tuple[Any, ...], str] = {}
        self.taken: dict[str, None] = {}  # by arguments and members alike: in Linen, both are attributes

    def fill(self) -> None:
        """Fill the class."""
        if self.plan.shortcut and any(not shape(region).shortcut for region in self.instances):
            self.plan.guard = "project"
            self.taken["project"] = None
        self._expect("inputs", lambda layers: (layers[0], "inputs"))
        self._expect("channels", lambda layers: (layers[-1], "outputs"))
        # A shortcut comes last: it may use the others' arguments.
        for row in sorted(rows(self.plan.region, self.classes), key=lambda row: row[0] in self.plan.shortcut):
            item = row[0]
            if isinstance(item, Region):
                self._instances([each for each in row if isinstance(each, Region)])
            elif item.is_layer and not self._made(item):
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
            if len(set(known(column))) > 1 and column not in self.given:
                self.taken[name] = None
                self.given[column] = name

    def _made(self, step: Step) -> bool:
        return any(isinstance(member, Layer) and shared(member.step, step) for member in self.plan.members)

    def _layer(self, step: Step) -> None:
        codes, varying = {}, {}
        member = unique(self._name(step), self.taken)
        for name, value in sizes(step).items():
            column = self._values(step, name)
            same = len(set(known(column))) == 1
            codes[name] = code(value) if same and not self._compatible(column) else self._argument(member, name, column)
            varying[name] = tuple(known(column))
        if step.kind in ("conv", "depthwise"):
            varying["padding"] = tuple(known(self._paddings(step)))
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
        return common_name(local_name(each, scope) for each, scope in zip(found, scopes, strict=True)) or step.kind

    def _instances(self, regions: list[Region]) -> None:
        children = [self.classes[region] for region in regions]
        arguments = [self._arguments_of(*each) for each in zip(children, regions, strict=True)]
        scopes = {region.scope.rpartition("/")[0] for region in regions}
        inner = scopes.pop() if len(scopes) == 1 else ""
        inner = "" if inner == self.plan.region.scope else inner.rpartition("/")[2]
        if len(regions) == 1:
            place = self.plan.region.items.index(regions[0])
            same = [found for column in self.columns if isinstance(found := column.get(place), Region)]
            inner = common_name(each.scope.rpartition("/")[2] for each in same)
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
            column = tuple(value_of(child, original, argument.name, self.classes) for original in originals)
            differs = len(set(known(column))) > 1
            member = snake(child.name)
            values[argument.name] = self._argument(member, argument.name, column) if differs else code(known(column)[0])
        return values


def _default(name: str, values: tuple[Any, ...]) -> str:
    codes = {code(value) for value in known(values)}
    return "1" if name.endswith("stride") and "1" in codes else ""


def common_name(names: Iterable[str]) -> str:
    """Return the name of all, or what they have in common without their numbers; empty if that is nothing."""
    found = set(names)
    bases = {re.sub(r"_?\d+(?=_|$)", "", name) for name in found} if len(found) > 1 else found
    return bases.pop() if len(bases) == 1 else ""


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
