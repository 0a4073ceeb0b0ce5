"""The lines of a class's forward function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.classes import ClassPlan, Instances, Layer
from attn_core.porting.write.structure import ACTIVATIONS, WEIGHTED, Item, Region

WIDTH = 100
VARIABLES = ("x", "y", "z", "u", "v", "w")


class Code(NamedTuple):
    """An expression; `atomic` if it needs no parentheses inside of others."""

    text: str
    atomic: bool = True

    def __str__(self) -> str:
        return self.text if self.atomic else f"({self.text})"


@dataclass(frozen=True)
class Speech:
    """How a framework says what a step computes and how members are called."""

    step: Callable[[Step, list[Code], Layer | None], Code]
    instances: Callable[[Instances, Code], Code | list[str]]


def lines(plan: ClassPlan, speech: Speech) -> list[str]:
    """Return the body of the forward function of one input, x."""
    return list(_Writer(plan, speech).lines())


class _Writer:
    def __init__(self, plan: ClassPlan, speech: Speech) -> None:
        self.plan, self.speech = plan, speech
        shortcut = set(plan.shortcut)
        main = [item for item in plan.region.items if item not in shortcut]
        # A shortcut may come to overwrite x only when nothing else needs it.
        place = len(main)
        if plan.guard:
            end = next(k for k, item in enumerate(main) if plan.shortcut[-1].name in item.inputs)
            place = end
        self.items: list[Item] = (
            main[:place] + list(plan.shortcut) + main[place:] if plan.guard else list(plan.region.items)
        )
        self.where: dict[str, Code] = {plan.region.source: Code("x")}
        self.row_of = {
            region: member for member in plan.members if isinstance(member, Instances) for region in member.regions
        }

    def lines(self) -> Iterable[str]:
        position = 0
        while position < len(self.items):
            chain, end = self._chain(position)
            lines = list(self._statement(chain, end))
            while len(chain) > 1 and isinstance(chain[-1], Step) and max(map(len, lines)) > WIDTH - 8:
                chain, end = chain[:-1], end - 1
                lines = list(self._statement(chain, end))
            yield from lines
            position = end

    def _readers(self, name: str, start: int = 0) -> int:
        late = sum(item.inputs.count(name) for item in self.items[start:])
        return late + (name == self.plan.region.name)

    def _chain(self, position: int) -> tuple[list[Item], int]:
        """Return the items that make one line: a layer and what follows it to its activation."""
        chain = [self.items[position]]
        position += 1
        while position < len(self.items):
            item, last = self.items[position], chain[-1]
            if self._readers(last.name) != 1 or last.name not in item.inputs or not self._continues(chain, item):
                break
            chain.append(item)
            position += 1
        return chain, position

    def _continues(self, chain: list[Item], item: Item) -> bool:
        if self._guarded(item) != self._guarded(chain[-1]):
            return False
        last = chain[-1]
        if isinstance(item, Region):
            return isinstance(last, Region) and self.row_of[item] is self.row_of.get(last)
        if isinstance(last, Region):
            return False
        if item.kind in WEIGHTED:
            return item.kind == "norm" and last.kind in ("conv", "depthwise", "dense")
        return item.kind in (*ACTIVATIONS, "softmax", "log_softmax", "squeeze", "flatten", "to_image")

    def _guarded(self, item: Item) -> bool:
        return bool(self.plan.guard) and item in self.plan.shortcut

    def _statement(self, chain: list[Item], position: int) -> Iterable[str]:
        """Yield the lines that compute a chain and give its result a name."""
        first, last = chain[0], chain[-1]
        inputs = [self.where[name] for name in first.inputs]
        target = self._target(first, last, position)
        text: Code | list[str]
        if isinstance(first, Region):
            member = self.row_of[first]
            text = self.speech.instances(member, inputs[0])
        else:
            text = self._nested(chain)
        if isinstance(text, list):  # a loop over instances, which works on x
            yield from text
            self.where[last.name] = inputs[0]
            if last.name == self.plan.region.name:
                yield f"return {inputs[0].text}"
            return
        if last.name == self.plan.region.name:
            yield f"return {text.text}"
            return
        self.where[last.name] = Code(target)
        if self._guarded(first):
            yield f"if self.{self.plan.guard}:"
            yield f"    {target} = {text.text}"
        else:
            yield f"{target} = {text.text}"

    def _nested(self, chain: list[Item]) -> Code:
        local = dict(self.where)
        code = Code("x")
        for item in chain:
            assert isinstance(item, Step)
            member = self.plan.member(item) if item.is_layer else None
            layer = member if isinstance(member, Layer) else None
            code = self.speech.step(item, [local[name] for name in item.inputs], layer)
            local[item.name] = code
        return code

    def _target(self, first: Item, last: Item, position: int) -> str:
        """Return the variable for a result: that of an input that is needed no more, or a new one."""
        if self._guarded(first):
            return self.where[self.plan.region.source].text
        needed = {self.where[name].text for name in self.where if self._readers(name, position)}
        for name in first.inputs:
            if self.where[name].text not in needed:
                return self.where[name].text
        return next(name for name in (*VARIABLES, *(f"x{k}" for k in range(2, 1000))) if name not in needed)
