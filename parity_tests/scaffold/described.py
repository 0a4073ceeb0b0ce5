"""What a block's file says: its class, fields as written, docstring, and functions that return it."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import inspect
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from types import ModuleType

from attn_core.spec import Block


class DescriptionError(ValueError):
    """A file that describes no block as this collection has them."""


@dataclass(frozen=True)
class Field:
    """A field of a block; without a default, `default` is empty."""

    name: str
    type: str
    default: str
    keyword: bool

    def __str__(self) -> str:
        """Return it as a line of a signature."""
        return f"{self.name}: {self.type} = {self.default}" if self.default else f"{self.name}: {self.type}"


@dataclass(frozen=True)
class Described:
    """A block as its file describes it."""

    block: type[Block]

    @property
    def module(self) -> ModuleType:
        """The block's own module."""
        return sys.modules[self.block.__module__]

    @property
    def name(self) -> str:
        """Name of the class."""
        return self.block.__name__

    @property
    def place(self) -> str:
        """Where it is in each package, such as `blocks.cbam`."""
        return self.block.__module__.partition(".")[2]

    @property
    def folder(self) -> str:
        """The folder of that: `blocks` or `models`."""
        return self.place.partition(".")[0]

    @property
    def file(self) -> str:
        """The file's name without its ending."""
        return self.place.partition(".")[2]

    @cached_property
    def fields(self) -> list[Field]:
        """Its fields in the order of its signature."""
        found = [_field(field) for field in dataclasses.fields(self.block) if field.init]
        return sorted(found, key=lambda field: field.keyword)

    def has(self, name: str) -> bool:
        """Say whether it has a field of this name."""
        return any(field.name == name for field in self.fields)

    @property
    def classifies(self) -> bool:
        """Whether it is a whole network, which returns logits."""
        return self.has("classes")

    @property
    def answer(self) -> str:
        """What a call computes."""
        return "Compute the logits." if self.classifies else "Compute the block's output."

    @property
    def inputs(self) -> list[str]:
        """Names of the arguments of a call."""
        return ["x", *self.block.inputs[1:]]

    @property
    def paragraphs(self) -> list[str]:
        """The paragraphs of its docstring."""
        return re.split(r"\n\n+", inspect.getdoc(self.block) or "")

    def labelled(self, label: str) -> str:
        """Return the text of the docstring's paragraph that begins with a label, or nothing."""
        start = f"**{label}**: "
        return next((" ".join(p.removeprefix(start).split()) for p in self.paragraphs if p.startswith(start)), "")

    @cached_property
    def constructors(self) -> list[str]:
        """The sources of its file's functions that return it: networks of well-known configuration."""
        functions = inspect.getmembers(self.module, inspect.isfunction)
        found = [each for _, each in functions if each.__annotations__.get("return") == self.name]
        return [inspect.getsource(each) for each in sorted(found, key=lambda each: each.__code__.co_firstlineno)]

    @property
    def names(self) -> list[str]:
        """What its file offers: the class and these functions."""
        return [self.name, *(ast.parse(source).body[0].name for source in self.constructors)]

    @property
    def _own(self) -> set[str]:
        """What a native file has itself, or imports from the standard library."""
        return {self.name, f"{self.name}Options", "Any", "Unpack"}

    def imports(self, sources: Iterable[str]) -> list[str]:
        """Return the lines that import what these pieces of its source name, from where the block's file has it."""
        found = {node.id for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        known = [name for name in sorted(found - self._own - vars(builtins).keys()) if self._knows(name)]
        return [f"from {self._home(name)} import {name}" for name in known]

    def _knows(self, name: str) -> ModuleType | None:
        """Return the module that has a name: the block's own, or one of a class whose fields it inherits."""
        modules = (sys.modules[kind.__module__] for kind in self.block.__mro__ if issubclass(kind, Block))
        return next((module for module in modules if name in vars(module)), None)

    def _home(self, name: str) -> str:
        module = self._knows(name) or self.module
        tree = ast.parse(inspect.getsource(module))
        homes = [n.module for n in tree.body if isinstance(n, ast.ImportFrom) and name in [a.name for a in n.names]]
        return homes[0] if homes else module.__name__


def described(file: str, folder: str = "blocks") -> Described:
    """Describe the block of a file of `attn_core`: the one whose class has the file's name, and says its source."""
    module = import_module(f"attn_core.{folder}.{file}")
    found = next((value for name, value in vars(module).items() if name.lower() == file.replace("_", "")), None)
    if not isinstance(found, type) or not issubclass(found, Block):
        raise DescriptionError(f"{module.__name__}: the block's class must be called as its file, in CamelCase.")
    if not found.source:
        raise DescriptionError(f"{module.__name__}: {found.__name__} has no `source`, the paper that it comes from.")
    block = Described(found)
    if not block.labelled("Shape"):
        raise DescriptionError(f"{module.__name__}: the docstring of {block.name} has no paragraph '**Shape**: ...'.")
    return block


def _field(field: dataclasses.Field[object]) -> Field:
    if field.default is dataclasses.MISSING:
        return Field(field.name, str(field.type), "", field.kw_only)
    try:
        ast.literal_eval(repr(field.default))
    except (SyntaxError, ValueError):
        reason = f"the default of {field.name}, {field.default!r}, is no number, text, tuple or None"
        raise DescriptionError(f"{reason}: native classes cannot state it.") from None
    return Field(field.name, str(field.type), repr(field.default), field.kw_only)
