"""What the sources of all frameworks share: how numbers, sums and classes are written."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attn_core.porting.network.rules.arithmetic import NUMBER, WEIGHT
from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.classes import ClassPlan, Layer, code
from attn_core.porting.write.forward import WIDTH, Code

INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}
BINARY = (*INFIX, "maximum", "minimum", "squared_difference")


def operands(step: Step, inputs: list[Code], weight: str) -> list[Code]:
    """Return what a sum or product is made of: values, plain numbers, weights."""
    found = {NUMBER: Code(repr(step.fields.get("number"))), WEIGHT: Code(weight)}
    return [inputs[each] if isinstance(each, int) else found[each] for each in step.fields["operands"]]


def infix(step: Step, parts: list[Code]) -> Code:
    """Write a sum, product or power."""
    sign = INFIX[step.kind]
    return Code(f" {sign} ".join(str(part) for part in parts), atomic=False)


def call(function: str, *arguments: object, **named: object) -> str:
    """Write a call; empty arguments are left out."""
    texts = [str(each) for each in arguments if str(each)]
    return f"{function}({', '.join([*texts, *(f'{name}={value}' for name, value in named.items())])})"


def block_arguments(step: Step, layer: Layer, given: tuple[str, ...]) -> dict[str, str]:
    """Return the keyword arguments of an attention block beside its channels, without those at their default."""
    block = step.fields["block"]
    plain = {field.name: field.default for field in dataclasses.fields(block)}
    config = {name: value for name, value in block.config().items() if value != plain[name]}
    return {name: layer.code[name] for name in ("hidden",) if name in layer.code} | {
        name: quoted(value) for name, value in config.items() if name not in (*given, "hidden", "reduction")
    }


def quoted(value: object) -> str:
    """Write a value, texts in double quotes."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def wrapped(start: str, inside: list[str], end: str, indent: str) -> list[str]:
    """Write `start inside, inside end` on one line, or one line each; a call that is still too long, likewise."""
    line = f"{indent}{start}{', '.join(inside)}{end}"
    if len(line) <= WIDTH:
        return [line]
    each = [line for text in inside for line in _on_lines(text, f"{indent}    ")]
    return [f"{indent}{start}", *each, f"{indent}{end}"]


def _on_lines(text: str, indent: str) -> list[str]:
    name, opened, rest = text.partition("(")
    if len(indent) + len(text) < WIDTH or not opened or not rest.endswith(")"):
        return [f"{indent}{text},"]
    return [f"{indent}{name}(", *(f"{indent}    {each}," for each in rest[:-1].split(", ")), f"{indent}),"]


def uniform(plans: list[ClassPlan], kind: str, name: str) -> Any:
    """Return a field that all layers of a kind have in common, or None."""
    values = {
        member.step.fields[name] for plan in plans for member in plan.members
        if isinstance(member, Layer) and member.step.kind == kind
    }  # fmt: skip
    return values.pop() if len(values) == 1 else None


def pair(values: tuple[int, int]) -> str:
    """Write two numbers, or one if they are equal."""
    return code(values)


def cut(numbers: tuple[int | None, int | None, int | None]) -> str:
    """Write a slice."""
    start, stop, step = ("" if n is None else str(n) for n in numbers)
    return f"{start}:{stop}" + (f":{step}" if step else "")


def piece(fields: Mapping[str, Any]) -> str:
    """Write a slice's start and stop, without what goes without saying."""
    start, stop, size = (fields[name] for name in ("start", "stop", "size"))
    return cut((start or None, None if stop == size else stop, None))


@dataclass(frozen=True)
class Head:
    """What a source says of itself before its code."""

    origin: str
    dropped: tuple[str, ...]
    layout: str


def documentation(head: Head) -> str:
    """Write a module's docstring."""
    dropped = [f"Dropped: {'; '.join(head.dropped)}.", ""] if head.dropped else []
    folded = [part for line in (head.origin, "", head.layout, *dropped) for part in _folded(line)]
    while folded and not folded[-1]:
        folded.pop()
    return '"""' + "\n".join(folded) + '\n"""'


def _folded(line: str) -> list[str]:
    safe = "".join(each if each.isprintable() else "?" for each in line).replace("\\", "/").replace('"', "'")
    return textwrap.wrap(safe, WIDTH - 4, break_on_hyphens=False, break_long_words=False) or [""]
