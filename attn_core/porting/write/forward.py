"""The lines of a class's forward function."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.classes import ClassPlan, Instances, LayerMember
from attn_core.porting.write.region import ACTIVATIONS, WEIGHTED, Item, Region
from attn_core.porting.write.spelling import WIDTH, quoted

LONGEST = WIDTH - 8  # letters of a line: it stands in a function of a class
VARIABLES = ("x", "y", "z", "u", "v", "w")
FOLLOWING = (*ACTIVATIONS, "softmax", "log_softmax", "squeeze", "flatten", "to_image")  # on the line of a layer


class Code(NamedTuple):
    """An expression; `atomic` if it needs no parentheses inside of others."""

    text: str
    atomic: bool = True

    def __str__(self) -> str:
        return self.text if self.atomic else f"({self.text})"


@dataclass(frozen=True)
class Speech:
    """How a framework says what a step computes and how members are called."""

    step: Callable[[Step, list[Code], LayerMember | None], Code]
    instances: Callable[[Instances, Code], Code | list[str]]


def lines(plan: ClassPlan, speech: Speech) -> list[str]:
    """Return the body of the forward function of one input, x."""
    return list(_Body(plan, speech).lines())


def _ordered(plan: ClassPlan) -> list[Item]:
    """Return the items of a class in the order in which it computes them."""
    if not plan.guard:
        return list(plan.region.items)
    # `if self.project:` overwrites x, so it comes when nothing but the sum needs x any more.
    main = [item for item in plan.region.items if item not in plan.shortcut]
    end = plan.shortcut[-1].name
    meeting = next(index for index, item in enumerate(main) if end in item.inputs)
    return [*main[:meeting], *plan.shortcut, *main[meeting:]]


class _Body:
    """Writes the items of a class; `values` are the expressions of those that are written, by name."""

    def __init__(self, plan: ClassPlan, speech: Speech) -> None:
        self.plan, self.speech = plan, speech
        self.items = _ordered(plan)
        self.values: dict[str, Code] = {plan.region.source: Code("x")}

    def lines(self) -> Iterable[str]:
        position = 0
        while position < len(self.items):
            chain = self._chain(position)
            lines = self._statement(chain, position + len(chain))
            # What is cut off is computed in the next line. Its value keeps the variable of the first try, which is
            # therefore not free for the shorter chain.
            while _can_be_cut(chain) and max(map(len, lines)) > LONGEST:
                chain = chain[:-1]
                lines = self._statement(chain, position + len(chain))
            yield from lines
            position += len(chain)

    def _readers(self, name: str, start: int = 0) -> int:
        """Return how often items from a position on read a value; the caller reads the result."""
        by_items = sum(item.inputs.count(name) for item in self.items[start:])
        return by_items + (name == self.plan.region.name)

    def _is_guarded(self, item: Item) -> bool:
        return bool(self.plan.guard) and item in self.plan.shortcut

    # ---- what makes one line -----------------------------------------------------------------------------------------

    def _chain(self, position: int) -> list[Item]:
        """Return the items that make one line: a layer and what follows it to its activation."""
        chain = [self.items[position]]
        for item in self.items[position + 1 :]:
            if not self._continues(chain[-1], item):
                break
            chain.append(item)
        return chain

    def _continues(self, last: Item, item: Item) -> bool:
        is_only_reader = last.name in item.inputs and self._readers(last.name) == 1
        if not is_only_reader or self._is_guarded(item) != self._is_guarded(last):
            return False
        if isinstance(item, Region):
            return isinstance(last, Region) and self.plan.member(item) is self.plan.member(last)
        if isinstance(last, Region):
            return False
        if item.kind in WEIGHTED:
            return item.kind == "norm" and last.kind in ("conv", "depthwise", "transposed", "dense")
        return item.kind in FOLLOWING

    # ---- its text ----------------------------------------------------------------------------------------------------

    def _statement(self, chain: list[Item], end: int) -> list[str]:
        """Return the lines that compute a chain, which ends at a position, and give its result a name."""
        first, last = chain[0], chain[-1]
        is_result = last.name == self.plan.region.name
        if isinstance(last, Step) and last.kind == "heads":
            return self._dictionary(last)
        value = self._value(chain)
        if isinstance(value, list):  # a loop over instances, which works on x
            x = self.values[first.inputs[0]]
            self.values[last.name] = x
            return [*value, f"return {x.text}"] if is_result else value
        if is_result:
            return [f"return {value.text}"]
        target = self._target(first, end)
        self.values[last.name] = Code(target)
        line = f"{target} = {value.text}"
        if self._is_guarded(first):
            return [f"if self.{self.plan.guard}:", f"    {line}"]
        return [line]

    def _dictionary(self, step: Step) -> list[str]:
        """Return the lines that give several results back."""
        entries = zip(step.fields["keys"], step.inputs, strict=True)
        return ["return {", *(f"    {quoted(key)}: {self.values[name].text}," for key, name in entries), "}"]

    def _value(self, chain: list[Item]) -> Code | list[str]:
        first = chain[0]
        if isinstance(first, Region):
            member = self.plan.member(first)
            assert isinstance(member, Instances)
            return self.speech.instances(member, self.values[first.inputs[0]])
        return self._nested([item for item in chain if isinstance(item, Step)])

    def _nested(self, chain: list[Step]) -> Code:
        """Write steps inside of each other."""
        values = dict(self.values)
        for step in chain:
            member = self.plan.member(step) if step.is_layer else None
            layer = member if isinstance(member, LayerMember) else None
            inputs = [values[name] for name in step.inputs]
            values[step.name] = self.speech.step(step, inputs, layer)
        return values[chain[-1].name]

    def _target(self, first: Item, end: int) -> str:
        """Return the variable for a result: that of an input that is needed no more, or a new one."""
        if self._is_guarded(first):
            return self.values[self.plan.region.source].text
        needed = {value.text for name, value in self.values.items() if self._readers(name, end)}
        inputs = [self.values[name].text for name in first.inputs]
        numbered = (f"x{number}" for number in itertools.count(2))
        return next(name for name in itertools.chain(inputs, VARIABLES, numbered) if name not in needed)


def _can_be_cut(chain: list[Item]) -> bool:
    # Instances in a row are one member, and one call.
    return len(chain) > 1 and isinstance(chain[-1], Step)
