"""What the languages have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from attn_core.ejecting.constants import constant
from attn_core.ejecting.documents import docstring, document, folded
from attn_core.ejecting.holes import ClassText
from attn_core.ejecting.methods import METHOD, Method, with_methods
from attn_core.ejecting.statements import Body
from attn_core.ejecting.symbols import Step, Symbol, Trace
from attn_core.ejecting.words.code import Code, Operand
from attn_core.spec import Part

INSIDE = "        "


class Language:
    """Writes classes of one framework; subclasses know its layers."""

    name: ClassVar[str]
    words: Any
    channels_last: ClassVar[bool] = False
    reference: ClassVar[str] = ""  # what an argument of a class is called with, within the function that makes layers
    weights: ClassVar[str]  # a sentence on how weights move
    usual: ClassVar[Mapping[str, str]] = {}  # other names of arrays
    helpers: ClassVar[Mapping[str, str]]  # functions for what the framework has not, by name

    # ---- what a framework says ---------------------------------------------------------------------------------------

    def layer(self, name: str, part: Part) -> list[str]:
        """Return the lines that make a part."""
        raise NotImplementedError

    def starts(self, name: str, part: Part) -> list[str]:
        """Return the lines that draw the fresh weights of a part, where its layer does not."""
        return []

    def frozen(self, name: str) -> list[str]:
        """Return the lines that say that no gradient reaches a part's weights."""
        return []

    def nested(self, name: str, call: str) -> list[str]:
        """Return the lines that make a block inside."""
        return [f"self.{name} = {call}"]

    def constant(self, text: str) -> list[str]:
        """Return the lines that hold the matrix of integers `index`."""
        raise NotImplementedError

    def part(self, trace: Trace, step: Step, given: Sequence[Operand]) -> Code:
        """Return the call of a part."""
        return Code(f"self.{step.part}({', '.join(each.text for each in given)})")

    def leaf(self, part: Part, name: str) -> str:
        """Return what the framework calls an array of a part."""
        return name

    def signature(self, trace: Trace, name: str, names: Sequence[str], inner: bool, own: bool) -> str:
        """Return the line that opens a function: the block's call, or one that is `inner`, of the class or its `own`."""
        raise NotImplementedError

    def call_name(self) -> str:
        """Return the name of a block's function."""
        return "forward"

    def assembled(self, name: str, arguments: Sequence[str], text: ClassText) -> list[str]:
        """Return the lines of a class."""
        raise NotImplementedError

    def instance(self, name: str, arguments: Mapping[str, str]) -> str:
        """Return the call that makes an instance."""
        return f"{name}({', '.join(arguments.values())})"

    def imports(self, code: str) -> list[str]:
        """Return the lines that import what the code needs."""
        raise NotImplementedError

    # ---- what is alike -----------------------------------------------------------------------------------------------

    def text(self, trace: Trace, inside: Mapping[str, str]) -> ClassText:
        """Return the text of a block's class; `inside` are the calls that make the blocks inside."""
        steps, methods = with_methods(trace)
        init = [line for name in trace.block.parts() for line in self._member(trace, name, inside)]
        init += [line for name, part in trace.leaves.items() for line in self.starts(name, part)]
        init += [line for name in trace.block.without_gradient for line in self.frozen(name)]
        for step in [*steps, *(step for method in methods for step in method.steps)]:
            if step.kind == "take":
                init += self.constant(constant(step.given[1]))
        functions = self._function(trace, self.call_name(), trace.inputs, steps, trace.output)
        helpers: list[str] = []
        for method in methods:
            lines = self._function(trace, method.name, method.inputs, method.steps, method.output, method)
            if method.has_parts:
                functions += ["", *lines]
            else:
                helpers += [*lines, "", ""]
        doc = document(trace, self.channels_last, self.leaf)
        return ClassText(tuple(doc), tuple(init), tuple(functions), tuple(helpers))

    def _member(self, trace: Trace, name: str, inside: Mapping[str, str]) -> Iterable[str]:
        part = trace.block.parts()[name]
        return self.layer(name, part) if isinstance(part, Part) else self.nested(name, inside[name])

    def _function(
        self,
        trace: Trace,
        name: str,
        inputs: Mapping[str, Symbol],
        steps: Sequence[Step],
        output: Symbol,
        method: Method | None = None,
    ) -> list[str]:
        body = Body(self.write(trace), self.words.by_name)
        lines = body.run(inputs, steps, output)
        own = method is None or method.has_parts
        doc = docstring(folded(method.doc)) if method and method.doc else []
        return [
            self.signature(trace, name, list(inputs), method is not None, own),
            *doc,
            *(f"    {line}" for line in lines),
        ]

    def write(self, trace: Trace) -> Callable[[Step, list[Any]], Code]:
        """Return the function that writes a step."""

        def run(step: Step, given: list[Any]) -> Code:
            if step.kind == METHOD:
                return self.method(trace, step, given[0], given[1:])
            if step.part:
                return self.part(trace, step, given)
            if step.kind == "take":
                given = [given[0], self.index()]
            found: Code = getattr(self.words, step.kind)(*given)
            return found

        return run

    def index(self) -> str:
        """Return what the matrix of integers is called."""
        return "self.index"

    def method(self, trace: Trace, step: Step, name: str, given: Sequence[Operand]) -> Code:
        """Return the call of a method, or of a function beside the class."""
        texts = ", ".join(each.text for each in given)
        return Code(f"{'self.' if step.part else ''}{name}({texts})")
