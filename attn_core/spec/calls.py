"""Blocks and shapes from text: calls with literal arguments, of which nothing is executed."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from attn_core.spec.block import Block, SpecError


def parse(text: str, known: Mapping[str, Callable[..., Block]], **given: Any) -> Block:
    """Return the block that a text such as ``SqueezeExcitation(64, hidden=4)`` configures.

    `known` are blocks, and functions that make some, by name; `given` further fields, for those that have them.
    **Raises** `SpecError` for anything but one of the known names with literal fields.
    """
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in known:
            raise TypeError(f"give one of {', '.join(known)} with its fields, as Name(64)")
        make = known[call.func.id]
        values = [ast.literal_eval(argument) for argument in call.args]
        fields = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
        own = {name: value for name, value in given.items() if name in inspect.signature(make).parameters}
        return make(*values, **(own | fields))
    except SpecError:
        raise
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise SpecError(f"{text!r} configures no block: {error}.") from None
    except ValueError:
        raise SpecError(f"{text!r} configures no block: fields must be numbers, texts, True, False or None.") from None


def parse_shape(text: str) -> tuple[int, ...]:
    """Return the shape that a text such as ``8,64,56,56`` gives. **Raises** `SpecError`."""
    try:
        shape = tuple(int(size) for size in text.split(","))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1:
        raise SpecError(f"{text!r} is no shape: give sizes of at least 1, as 8,64,56,56.")
    return shape
