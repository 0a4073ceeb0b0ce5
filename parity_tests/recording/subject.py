"""What is recorded: a class by its name and arguments, and where it comes from."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn


class RecordError(ValueError):
    """A module that cannot be recorded; the message is for people."""


def told(error: Exception) -> str:
    """Return an error's kind and message, without a full stop."""
    return f"{type(error).__name__}: {str(error).rstrip('.')}"


@dataclass(frozen=True)
class Subject:
    """A class or function that makes a module, called `name`, with what it is called with."""

    source: str  # package.module, or path/file.py
    name: str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]

    @cached_property
    def kind(self) -> Callable[..., Any]:
        """The class or function. **Raises** `RecordError` if there is none."""
        found: Any = _imported(self.source)
        for part in self.name.split("."):
            if not hasattr(found, part):
                raise RecordError(f"{self.source} has no {self.name}.")
            found = getattr(found, part)
        return found

    def build(self) -> nn.Module:
        """Make the module, each time the same. **Raises** `RecordError`."""
        torch.manual_seed(0)
        try:
            module = self.kind(*self.arguments, **self.keywords)
        except RecordError:
            raise
        except Exception as error:
            raise RecordError(f"{self} raises {told(error)}.") from error
        if not isinstance(module, nn.Module):
            raise RecordError(f"{self} is an object of {type(module).__name__}; give a class of torch.nn.Module.")
        return module

    @property
    def named_arguments(self) -> dict[str, Any] | list[Any]:
        """The arguments by their names, in a list where they have none."""
        bound = inspect.signature(self.kind).bind(*self.arguments, **self.keywords)
        named = dict(bound.arguments)
        for parameter in bound.signature.parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD:
                named |= named.pop(parameter.name, {})
            elif parameter.kind is parameter.VAR_POSITIONAL and parameter.name in named:
                return [*self.arguments, *([self.keywords] if self.keywords else [])]
        return named

    @property
    def origin(self) -> dict[str, str]:
        """Say where the class comes from, by names that hold on every machine."""
        if self.source.endswith(".py"):
            return {"file": self.source if not Path(self.source).is_absolute() else Path(self.source).name}
        module = getattr(self.kind, "__module__", self.source)
        package = module.partition(".")[0]
        file = {"file": module.replace(".", "/") + ".py"}
        distribution = next(iter(importlib.metadata.packages_distributions().get(package, [])), None)
        if distribution is None:
            return file
        return {"repo": f"{distribution} {importlib.metadata.version(distribution)} (package)"} | file

    def __str__(self) -> str:
        given = [*map(repr, self.arguments), *(f"{name}={value!r}" for name, value in self.keywords.items())]
        return f"{self.name}({', '.join(given)})"


def subject(text: str, arguments: str = "") -> Subject:
    """Return what `package.module:Class` or `path/file.py:Class` names, with literal arguments as "4, bias=False"."""
    source, _, name = text.rpartition(":")
    if not source or not name:
        raise RecordError(f"{text!r} names no module: give package.module:Class or path/file.py:Class.")
    try:
        call = ast.parse(f"f({arguments})", mode="eval").body
        assert isinstance(call, ast.Call)
        given = tuple(ast.literal_eval(value) for value in call.args)
        keywords = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
    except (SyntaxError, ValueError, AssertionError):
        raise RecordError(f'{arguments!r} are no arguments: give literals only, as "4, 8, bias=False".') from None
    return Subject(source, name, given, keywords)


def _imported(source: str) -> ModuleType:
    try:
        return _from_file(Path(source)) if source.endswith(".py") else importlib.import_module(source)
    except FileNotFoundError:
        raise RecordError(f"There is no file {source}.") from None
    except ModuleNotFoundError as error:
        raise RecordError(f"{source} cannot be imported: there is no module {error.name}.") from error
    except Exception as error:
        raise RecordError(f"{source} cannot be imported: {told(error)}.") from error


def _from_file(path: Path) -> ModuleType:
    """Import a file, with what lies beside it."""
    if not path.is_file():
        raise FileNotFoundError(path)
    spec = importlib.util.spec_from_file_location(f"recorded_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for it there
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module
