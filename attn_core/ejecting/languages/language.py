"""What the languages have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from attn_core.ejecting.languages.training import any_trains
from attn_core.ejecting.tracing.methods import METHOD, Method, with_methods
from attn_core.ejecting.tracing.symbols import Step, Trace
from attn_core.ejecting.words.code import PRODUCT, Code, Operand
from attn_core.ejecting.writing.constants import constant
from attn_core.ejecting.writing.documents import docstring, document, folded
from attn_core.ejecting.writing.holes import ClassText
from attn_core.ejecting.writing.statements import Body
from attn_core.ejecting.writing.variables import Variables
from attn_core.spec import Part

MODULES = frozenset(["np", "jnp", "jax", "nn", "nnx", "ops", "keras", "torch", "F", "math", "self"])
WIDTH = 84  # of a docstring of a function


class Language:
    """Writes classes of one framework; subclasses know its layers."""

    name: ClassVar[str]
    training: ClassVar[str] = ""  # the argument that tells of training
    words: Any
    channels_last: ClassVar[bool] = False
    reference: ClassVar[str] = ""  # what an argument of a class is called with, within the function that makes layers
    weights: ClassVar[str]  # a sentence on how weights move
    helpers: ClassVar[Mapping[str, str]]  # functions for what the framework has not, by name

    # ---- what a framework says ---------------------------------------------------------------------------------------

    def layer(self, name: str, part: Part) -> list[str]:
        """Return the lines that make a part."""
        raise NotImplementedError

    def starts(self, name: str, part: Part) -> list[str]:
        """Return the lines that draw the fresh weights of a part, where its layer does not."""
        return []

    def together(self, lines: list[str]) -> list[str]:
        """Return the lines that draw fresh weights, equal ones put together."""
        return lines

    def frozen(self, name: str) -> list[str]:
        """Return the lines that say that no gradient reaches a part's weights."""
        return []

    def nested(self, name: str, call: str) -> list[str]:
        """Return the lines that make a block inside."""
        return [f"self.{name} = {call}"]

    def constant(self, text: str) -> list[str]:
        """Return the lines that hold a matrix of integers, if it is held."""
        return []

    def index(self, text: str) -> Code:
        """Return how a matrix of integers is read."""
        return Code(text, PRODUCT)

    def part(self, trace: Trace, step: Step, given: Sequence[Operand]) -> Code:
        """Return the call of a part."""
        return Code(f"self.{step.part}({', '.join(each.text for each in given)})")

    def leaf(self, part: Part, name: str) -> str:
        """Return what the framework calls an array of a part."""
        return name

    def signature(self, name: str, names: Sequence[str], own: bool, told: bool) -> str:
        """Return the line that opens a function; `own` is one of the class, `told` one that is told of training."""
        raise NotImplementedError

    def call_name(self) -> str:
        """Return the name of a block's function."""
        return "forward"

    def assembled(self, name: str, arguments: Sequence[str], text: ClassText) -> list[str]:
        """Return the lines of a class."""
        raise NotImplementedError

    def instance(self, name: str, arguments: Mapping[str, str], has_layers: bool) -> str:
        """Return the call that makes an instance of a class."""
        return f"{name}({', '.join(arguments.values())})"

    def imports(self, code: str) -> list[str]:
        """Return the lines that import what the code needs."""
        raise NotImplementedError

    # ---- what is alike -----------------------------------------------------------------------------------------------

    def text(self, trace: Trace, inside: Mapping[str, str]) -> ClassText:
        """Return the text of a block's class; `inside` are the calls that make the blocks inside."""
        steps, methods = with_methods(trace)
        init = [line for name in trace.block.parts() for line in self._member(trace, name, inside)]
        init += self.together([line for name, part in trace.leaves.items() for line in self.starts(name, part)])
        init += [line for name in trace.block.without_gradient for line in self.frozen(name)]
        for step in [*steps, *(step for method in methods for step in method.steps)]:
            if step.kind == "take":
                init += self.constant(constant(step.given[1]))
        told = {method.name for method in methods if any_trains(trace.block, method.steps)}
        is_told = any_trains(trace.block, steps) or any(step.given[0] in told for step in steps if step.kind == METHOD)
        whole = Method(self.call_name(), "", trace.inputs, steps, trace.output)
        functions = self._function(trace, whole, told | {self.call_name()} if is_told else told, own=True)
        helpers: list[str] = []
        for method in methods:
            lines = self._function(trace, method, told, own=method.has_parts)
            if method.has_parts:
                functions += ["", *lines]
            else:
                helpers += [*lines, "", ""]
        doc = document(trace, self.channels_last, self.leaf)
        return ClassText(tuple(doc), tuple(init), tuple(functions), tuple(helpers))

    def _member(self, trace: Trace, name: str, inside: Mapping[str, str]) -> Iterable[str]:
        part = trace.block.parts()[name]
        return self.layer(name, part) if isinstance(part, Part) else self.nested(name, inside[name])

    def _function(self, trace: Trace, method: Method, told: set[str], own: bool) -> list[str]:
        lines = self._body(trace, method, told)
        doc = docstring(folded(method.doc, WIDTH)) if method.doc else []
        opening = self.signature(method.name, list(method.inputs), own, method.name in told)
        return [opening, *doc, *(f"    {line}" for line in lines)]

    def _body(self, trace: Trace, method: Method, told: set[str]) -> list[str]:
        """Return the lines of a function; where several variables want one name, none has it without a number."""
        numbered: frozenset[str] = frozenset()
        while True:
            variables = Variables(numbered=numbered)
            body = Body(self._write(trace, told), self.words.by_name, self.reserved(trace), variables=variables)
            lines = body.run(method.inputs, method.steps, method.output)
            if variables.clashed <= numbered:
                return lines
            numbered |= variables.clashed

    def reserved(self, trace: Trace) -> frozenset[str]:
        """Return the names that functions have."""
        return MODULES | frozenset({*self.helpers, *(call.code.co_name.strip("_") for call in trace.calls)})

    def _write(self, trace: Trace, told: set[str]) -> Callable[[Step, list[Any]], Code]:
        """Return the function that writes a step."""

        def run(step: Step, given: list[Any]) -> Code:
            if step.kind == METHOD:
                return self.method(step, given[0], given[1:], given[0] in told)
            if step.part:
                return self.part(trace, step, given)
            if step.kind == "take":
                given = [given[0], self.index(constant(step.given[1]))]
            found: Code = getattr(self.words, step.kind)(*given)
            return found

        return run

    def method(self, step: Step, name: str, given: Sequence[Operand], told: bool) -> Code:
        """Return the call of a method, or of a function beside the class."""
        texts = [*(each.text for each in given), *[self.training] * told]
        return Code(f"{'self.' if step.part else ''}{name}({', '.join(texts)})")
