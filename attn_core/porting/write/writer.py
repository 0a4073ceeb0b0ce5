"""Writing classes: what is alike in the sources of all frameworks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import ClassVar

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.classes import Argument, ClassPlan, Instances, Layer, Plan
from attn_core.porting.write.common import (
    BINARY,
    INFIX,
    Head,
    call,
    documentation,
    infix,
    operands,
    quoted,
    uniform,
    wrapped,
)
from attn_core.porting.write.forward import Code, Speech, lines
from attn_core.porting.write.state import Naming

Statement = tuple[str, list[str]]  # a callable and its arguments


GAP = '''def unknown(operation, *inputs):
    """Stand for an operation of the graph that has no counterpart: write it here."""
    raise NotImplementedError(operation)


'''


class UnknownStepError(ValueError):
    """A step that a framework has no words for; the message says which."""


class Writer:
    """Writes the module `model` of a plan; subclasses know a framework. `shape` is that of an image, in its layout."""

    framework: ClassVar[str]
    naming: ClassVar[Naming]
    functions: ClassVar[dict[str, str]]
    load: ClassVar[str]
    member_indent: ClassVar[str] = "        "

    def __init__(self, plan: Plan, shape: tuple[int, ...]) -> None:
        self.plan, self.input = plan, shape
        self.eps, self.momentum = (uniform(plan.classes, "norm", name) for name in ("eps", "momentum"))
        self.kept: dict[str, list[Argument]] = {}

    def text(self, head: Head) -> str:
        """Return the source."""
        body = "\n\n".join("\n".join(self._class(each)) + "\n" for each in self.plan.classes)
        rest = body + "\n" + self.load.format(name=self.plan.classes[-1].name, shape=self.input)
        norms = self.norms(body)
        code = norms + self.helpers(body) + rest
        gap = "" if norms and not norms.startswith("def ") else "\n"
        return f"{documentation(head)}\n\n{self.imports(code)}\n{gap}{code}"

    # ---- what a framework has its own words for ----------------------------------------------------------------------

    def imports(self, text: str) -> str:
        """Return the lines that import what the text uses, with an empty line at the end."""
        raise NotImplementedError

    def norms(self, body: str) -> str:
        """Return the lines that define what all batch norms have in common."""
        raise NotImplementedError

    def helpers(self, body: str) -> str:
        """Return the functions that the classes call and no library has."""
        return GAP if "unknown(" in body else ""

    def opening(self, plan: ClassPlan, arguments: list[Argument]) -> Iterable[str]:
        """Yield the lines from `class` to the first member."""
        raise NotImplementedError

    def forward(self, plan: ClassPlan) -> str:
        """Return the line that opens the forward function."""
        raise NotImplementedError

    def layer(self, layer: Layer) -> Statement:
        """Return what makes a layer."""
        raise NotImplementedError

    def instances(self, member: Instances, calls: list[str], indent: str) -> Iterable[str]:
        """Yield the lines that make a list of instances."""
        raise NotImplementedError

    def run(self, member: Instances, x: Code) -> Code | list[str]:
        """Return what runs instances, an expression or lines that work on x."""
        raise NotImplementedError

    def step(self, step: Step, inputs: list[Code], layer: Layer | None) -> Code:
        """Return the expression of a step that is no arithmetic."""
        raise NotImplementedError

    def argument(self, text: str) -> str:
        """Return how a member refers to an argument of its class."""
        return text

    def after(self, layer: Layer) -> Iterable[str]:
        """Yield lines that follow a layer's."""
        return ()

    @property
    def norms_alike(self) -> bool:
        """Whether all batch norms have the same epsilon and momentum."""
        return self.eps is not None and self.momentum is not None

    # ---- classes -----------------------------------------------------------------------------------------------------

    def _class(self, plan: ClassPlan) -> Iterable[str]:
        members = list(self._members(plan))
        used = set(re.findall(r"[A-Za-z_]\w*", "\n".join(members)))
        self.kept[plan.name] = [each for each in plan.arguments if each.name in used or each.name == plan.guard]
        yield from self.opening(plan, self.kept[plan.name])
        yield from members
        yield ""
        yield f"    {self.forward(plan)}"
        yield from (f"        {line}" for line in lines(plan, Speech(self._step, self.run)))

    def _members(self, plan: ClassPlan) -> Iterable[str]:
        inside = False
        for member in plan.members:
            guarded = isinstance(member, Layer) and bool(member.guard)
            if guarded and not inside:
                yield f"{self.member_indent}if {self.argument(plan.guard)}:"
            inside = guarded
            yield from self._member(member, self.member_indent + "    " * guarded)

    def _member(self, member: Layer | Instances, indent: str) -> Iterable[str]:
        if isinstance(member, Layer):
            name, arguments = self.layer(member)
            yield from wrapped(f"self.{member.name} = {name}(", arguments, ")", indent)
            yield from (f"{indent}{line}" for line in self.after(member))
            return
        given = [self._given(*each) for each in zip(member.kinds, member.arguments, strict=True)]
        if not member.several:
            yield from wrapped(f"self.{member.name} = {member.kinds[0]}(", given[0], ")", indent)
            return
        calls = [call(kind, *arguments) for kind, arguments in zip(member.kinds, given, strict=True)]
        yield from self.instances(member, calls, indent)

    def _given(self, kind: str, arguments: Mapping[str, str]) -> list[str]:
        plain = ("inputs", "channels")
        defaults = {each.name: each.default for each in self.kept[kind]}
        return [
            self.argument(value) if name in plain and self.positional else f"{name}={self.argument(value)}"
            for name, value in arguments.items()
            if name in defaults and defaults[name] != value
        ] + self.more()

    positional: ClassVar[bool] = True

    def more(self) -> list[str]:
        """Return what every instance is given beside its sizes."""
        return []

    def code(self, layer: Layer, name: str) -> str:
        """Return a field of a layer as code."""
        return self.argument(layer.code[name])

    # ---- steps -------------------------------------------------------------------------------------------------------

    def _step(self, step: Step, inputs: list[Code], layer: Layer | None) -> Code:
        if step.kind in BINARY:
            parts = operands(step, inputs, self.weight(layer) if layer else "")
            if step.kind in INFIX:
                return infix(step, parts)
            if step.kind == "squared_difference":
                return Code(f"({parts[0]} - {parts[1]}) ** 2", atomic=False)
            return self.bound(step, parts)
        if step.kind in self.functions:
            return Code(f"{self.functions[step.kind]}({inputs[0].text})")
        if step.kind == "unknown":
            return Code(f"unknown({quoted(step.fields['op'])}, {', '.join(each.text for each in inputs)})")
        return self.step(step, inputs, layer)

    def weight(self, layer: Layer) -> str:
        """Return how plain weights are read."""
        return f"self.{layer.name}"

    def bound(self, step: Step, parts: list[Code]) -> Code:
        """Return the greater or smaller of two."""
        raise NotImplementedError

    def strange(self, step: Step, reason: str = "") -> UnknownStepError:
        """Return the error for a step without words."""
        return UnknownStepError(
            f"{self.framework} has no words for {step.kind} ({step.name}){reason and ': '}{reason}."
        )


def repeated(calls: list[str]) -> list[str]:
    """Write three or more equal calls in a row as a loop."""
    found: list[str] = []
    place = 0
    while place < len(calls):
        count = next((k for k in range(1, len(calls) - place) if calls[place + k] != calls[place]), len(calls) - place)
        found.extend([f"*({calls[place]} for _ in range({count}))"] if count > 2 else calls[place : place + count])
        place += count
    return found


def typed(arguments: Iterable[Argument]) -> list[str]:
    """Write arguments with their types and defaults."""
    kinds = {"True": "bool", "False": "bool"}
    return [f"{a.name}: {kinds.get(a.default, 'int')}" + (f" = {a.default}" if a.default else "") for a in arguments]
