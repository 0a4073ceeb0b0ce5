"""Writing classes: what is alike in the sources of all frameworks."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attn_core.porting.network.steps.axes import is_image
from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.arithmetic import BINARY, INFIX, infix, operands
from attn_core.porting.write.classes import Argument, ClassPlan, Instance, Instances, LayerMember, Member, SourcePlan
from attn_core.porting.write.forward import Code, Speech, lines
from attn_core.porting.write.preface import Preface
from attn_core.porting.write.spelling import CallText, quoted, wrapped
from attn_core.porting.write.words import Words

INDENT = "        "  # of a line in a function of a class


class Writer(Words):
    """Writes the module `model` of a plan; subclasses know a framework.

    `shape` is that of what the network reads, in the framework's layout; `rank` is the number of axes of its images.
    """

    def __init__(self, plan: SourcePlan, shape: tuple[int, ...], rank: int) -> None:
        super().__init__(plan)
        self.input = shape
        self.rank = rank
        self.kept: dict[str, list[Argument]] = {}  # by class

    @property
    def dimensions(self) -> int:
        """The number of axes in space of the network's images."""
        return self.rank - 2

    def is_image(self, rank: int) -> bool:
        """Whether arrays of so many axes are images or volumes, or signals in a network of signals."""
        return is_image(rank, self.rank)

    def text(self, preface: Preface) -> str:
        """Return the source."""
        # From the inside out, as the plan has them: a class must know which arguments those inside it have kept.
        classes = ["\n".join(self._class(each)) + "\n" for each in self.plan.classes]
        body = "\n\n".join(classes)
        load = self.load.format(name=self.plan.classes[-1].name, shape=self.input)
        norms = self.norms(body)
        code = norms + self.helpers(body) + body + "\n" + load
        # Formatters want two empty lines before a function or class, one before an assignment.
        gap = "" if norms and not norms.startswith("def ") else "\n"
        return f"{preface.docstring()}\n\n{self.imports(code)}\n{gap}{code}"

    # ---- classes -----------------------------------------------------------------------------------------------------

    def _class(self, plan: ClassPlan) -> Iterable[str]:
        members = list(self._members(plan))
        # A framework that finds sizes out by itself leaves some arguments without use.
        used = set(re.findall(r"[A-Za-z_]\w*", "\n".join(members)))
        kept = [each for each in plan.arguments if each.name in used or each.name == plan.guard]
        self.kept[plan.name] = kept
        yield from self.opening(plan, kept)
        yield from members
        yield ""
        yield f"    {self._signature(plan)}"
        for line in lines(plan, Speech(self._step, self.run)):
            yield f"        {line}"

    def _signature(self, plan: ClassPlan) -> str:
        """Return the line that opens the forward function; a network of several results returns a dictionary."""
        line = self.forward(plan)
        one, arrow, kind = line.removesuffix(":").rpartition(" -> ")
        is_several = any(item.kind == "heads" for item in plan.region.items if isinstance(item, Step))
        return f"{one}{arrow}dict[str, {kind}]:" if arrow and is_several else line

    def _members(self, plan: ClassPlan) -> Iterable[str]:
        is_inside = False
        for member in plan.members:
            is_guarded = isinstance(member, LayerMember) and bool(member.guard)
            if is_guarded and not is_inside:
                yield f"{INDENT}if {self.argument(plan.guard)}:"
            is_inside = is_guarded
            yield from self._member(member, INDENT + "    " * is_guarded)

    def _member(self, member: Member, indent: str) -> Iterable[str]:
        if isinstance(member, Instances):
            yield from self._instances(member, indent)
            return
        yield from _assigned(member, self.layer(member), indent)
        for line in self.after(member):
            yield f"{indent}{line}"

    def _instances(self, member: Instances, indent: str) -> Iterable[str]:
        calls = [self._instance(instance) for instance in member.all]
        if member.several:
            return self.instances(member, [str(call) for call in calls], indent)
        return _assigned(member, calls[0], indent)

    def _instance(self, instance: Instance) -> CallText:
        given = []
        for argument in self.kept[instance.kind]:
            text = instance.arguments[argument.name]
            if text != argument.default:
                given.append(self._argument(argument.name, self.argument(text)))
        return CallText(instance.kind, [*given, *self.more()])

    def _argument(self, name: str, text: str) -> str:
        is_plain = self.positional and name in ("inputs", "channels")
        return text if is_plain else f"{name}={text}"

    # ---- steps -------------------------------------------------------------------------------------------------------

    def _step(self, step: Step, inputs: list[Code], layer: LayerMember | None) -> Code:
        if step.kind in BINARY:
            return self._binary(step, operands(step, inputs, self.weight(layer) if layer else ""))
        if step.kind in self.functions:
            return Code(f"{self.functions[step.kind]}({inputs[0].text})")
        if step.kind == "unknown":
            shown = ", ".join(each.text for each in inputs)
            return Code(f"unknown({quoted(step.fields['op'])}, {shown})")
        return self.step(step, inputs, layer)

    def _binary(self, step: Step, parts: list[Code]) -> Code:
        if step.kind in INFIX:
            return infix(step, parts)
        if step.kind == "squared_difference":  # which no library but TensorFlow has
            return Code(f"({parts[0]} - {parts[1]}) ** 2", atomic=False)
        return self.bound(step, parts)


def _assigned(member: Member, call: CallText, indent: str) -> list[str]:
    return wrapped(f"self.{member.name} = {call.function}(", call.arguments, ")", indent)
