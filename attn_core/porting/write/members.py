"""The arguments and members of one class, of all its instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.classes import Argument, ClassPlan, Instance, Instances, LayerMember
from attn_core.porting.write.columns import Arguments, Column, differs, known
from attn_core.porting.write.identifiers import identifier, snake, unique
from attn_core.porting.write.instances import Classes, aligned, rows, value_of
from attn_core.porting.write.member_names import common_name, local_name
from attn_core.porting.write.outline import outline
from attn_core.porting.write.padding import padding, resolved
from attn_core.porting.write.region import Item, Region, last_part, parent
from attn_core.porting.write.signatures import sizes_of
from attn_core.porting.write.spelling import number

GUARD = "project"  # the argument that says whether an instance has a shortcut


class Filler:
    """Finds the arguments and members of one class."""

    def __init__(self, plan: ClassPlan, instances: list[Region], classes: Classes) -> None:
        self.plan, self.instances, self.classes = plan, instances, classes
        self.counterparts = [dict(aligned(plan, region)) for region in instances]
        self.arguments = Arguments()

    def fill(self) -> None:
        """Fill the class."""
        plan = self.plan
        self._expect_guard()
        self._expect_channels()
        # A shortcut comes last, where it may use the others' arguments, and is then put back where the author had it.
        for row in sorted(rows(plan.region, self.classes), key=self._is_of_shortcut):
            self._member(row)
        plan.members.sort(key=lambda member: plan.region.items.index(member.first))
        plan.arguments.extend(self.arguments.listed())
        if plan.guard:
            plan.arguments.append(Argument(plan.guard, "False"))

    def _expect_guard(self) -> None:
        if self.plan.shortcut and not all(outline(region).shortcut for region in self.instances):
            self.plan.guard = GUARD
            self.arguments.taken[GUARD] = None

    def _expect_channels(self) -> None:
        """Call the channels of the first layer's input and of the last layer's output just that, if they differ."""
        main = [item for item in self.plan.region.items if item not in self.plan.shortcut]
        layers = [item for item in main if isinstance(item, Step) and "outputs" in sizes_of(item)]
        if layers:
            self.arguments.expect("inputs", self._column(layers[0], "inputs"))
            self.arguments.expect("channels", self._column(layers[-1], "outputs"))

    def _is_of_shortcut(self, row: list[Item]) -> bool:
        return row[0] in self.plan.shortcut

    def _member(self, row: list[Item]) -> None:
        first = row[0]
        if isinstance(first, Region):
            self._instances([each for each in row if isinstance(each, Region)])
        elif first.is_layer and not self._is_there(first):
            self._layer(first)

    # ---- the instances side by side ----------------------------------------------------------------------------------

    def _in_all(self, item: Item) -> list[Item | None]:
        """Return what stands for an item in each instance, None where an instance has no such step."""
        return [counterparts.get(item) for counterparts in self.counterparts]

    def _column(self, step: Step, size: str) -> Column:
        return tuple(_size_of(each, size) for each in self._in_all(step))

    # ---- layers ------------------------------------------------------------------------------------------------------

    def _is_there(self, step: Step) -> bool:
        """Whether a member is this layer already: it is used twice."""
        return any(member.computes(step) for member in self.plan.members)

    def _layer(self, step: Step) -> None:
        name = unique(self._layer_name(step), self.arguments.taken)
        sizes = {size: self._size(name, step, size) for size in sizes_of(step)}
        guard = self.plan.guard if step in self.plan.shortcut else ""
        self.plan.members.append(LayerMember(name, step, sizes, self._padding(step), guard))

    def _layer_name(self, step: Step) -> str:
        """Return a layer's name: the author's if all instances have it, or else what it is called without number."""
        pairs = zip(self._in_all(step), self.instances, strict=True)
        names = [local_name(each, region.within) for each, region in pairs if isinstance(each, Step)]
        return common_name(names) or step.kind

    def _size(self, member: str, step: Step, size: str) -> str:
        """Write a layer's size: a number, or the argument that says it."""
        column = self._column(step, size)
        # The few instances that have a shortcut may share its number by chance, where it follows an argument.
        if differs(column) or self.arguments.fits(column):
            return self.arguments.name(member, size, column)
        return number(sizes_of(step)[size])

    def _padding(self, step: Step) -> Any:
        if step.kind not in ("conv", "depthwise"):
            return None
        return resolved(padding(each) for each in self._in_all(step) if isinstance(each, Step))

    # ---- instances of other classes ----------------------------------------------------------------------------------

    def _instances(self, regions: Sequence[Region]) -> None:
        instances = [self._instance(region) for region in regions]
        name = unique(self._instances_name(regions), self.arguments.taken)
        self.plan.members.append(Instances(name, tuple(instances)))

    def _instance(self, region: Region) -> Instance:
        child = self.classes[region]
        return Instance(child.name, region, self._arguments_of(child, region))

    def _instances_name(self, regions: Sequence[Region]) -> str:
        """Return what the author called one instance, or the scope around several; or else the name of the class."""
        scope = self._own_scope(regions[0]) if len(regions) == 1 else self._scope_around(regions)
        if scope:
            return identifier(scope)
        # A title is the author's word and stays as it is; our own (residual_block) can have a plural.
        is_ours = not regions[0].title
        name = snake(self.classes[regions[0]].name)
        return f"{name}s" if is_ours and len(regions) > 1 else name

    def _own_scope(self, region: Region) -> str:
        return common_name(last_part(each.scope) for each in self._in_all(region) if isinstance(each, Region))

    def _scope_around(self, regions: Sequence[Region]) -> str:
        scopes = {parent(region.scope) for region in regions}
        scope = scopes.pop()
        if scopes or scope == self.plan.region.scope:
            return ""
        return last_part(scope)

    def _arguments_of(self, child: ClassPlan, region: Region) -> dict[str, str]:
        """Return what one instance of another class is given."""
        names = [argument.name for argument in child.arguments if argument.name != child.guard]
        texts = {name: self._given(child, region, name) for name in names}
        if child.guard:
            texts[child.guard] = str(bool(outline(region).shortcut))
        return texts

    def _given(self, child: ClassPlan, region: Region, argument: str) -> str:
        """Write what an instance is given for an argument, by the values of its own layers."""
        column = tuple(value_of(child, each, argument, self.classes) for each in self._in_all(region))
        if differs(column):
            return self.arguments.name(snake(child.name), argument, column)
        return number(known(column)[0])


def _size_of(item: Item | None, size: str) -> Any:
    return sizes_of(item)[size] if isinstance(item, Step) else None
