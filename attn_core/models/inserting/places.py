"""Which layers of a network are meant, by a glob, a pattern, a type or a function; what is there, where none is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from attn_core.spec import SpecError

# A glob on names, a pattern that matches whole names, a type or several, a function of name and layer, a list of these.
Place: TypeAlias = "str | re.Pattern[str] | type | Callable[[str, Any], bool] | Collection[Any]"

_SHOWN = 3  # names of each kind that a sentence lists
_KINDS = 8


def chosen(layers: Mapping[str, Any], what: Place) -> list[str]:
    """Return the names of the layers that are meant, in the network's order.

    In a glob, ``*`` stands for any characters, points among them. **Raises** `SpecError`, which lists what is there, if
    none is.
    """
    found = [name for name, layer in layers.items() if meant(what, name, layer)]
    if not found:
        raise SpecError(f"{shown(what)} is no layer of this network{_near(layers, what)}. There are {listed(layers)}.")
    return found


def meant(what: Place, name: str, layer: Any) -> bool:
    """Say whether a layer is one of those that are meant."""
    if isinstance(what, str):
        return name == what or fnmatchcase(name, what)
    if isinstance(what, re.Pattern):
        return what.fullmatch(name) is not None
    if isinstance(what, type):
        return isinstance(layer, what)
    if isinstance(what, Collection):
        return any(meant(each, name, layer) for each in what)
    if callable(what):
        return bool(what(name, layer))
    rule = "a glob, a compiled pattern, a type, a function of name and layer, or a list of them"
    raise SpecError(f"A place is {rule}; got {what!r}.")


def shown(what: Place) -> str:
    """Return a place as it stands in a sentence."""
    if isinstance(what, re.Pattern):
        return f"the pattern {what.pattern!r}, which must match a whole name,"
    return f"any {what.__name__}" if isinstance(what, type) else repr(what)


def listed(layers: Mapping[str, Any]) -> str:
    """Return the layers as text, by their kinds: ``53 BatchNorm2d (bn1, layer1.0.bn1, ...)``."""
    kinds: dict[str, list[str]] = {}
    for name, layer in layers.items():
        kinds.setdefault(type(layer).__name__, []).append(name)
    texts = [f"{len(names)} {kind} ({_some(names)})" for kind, names in kinds.items()]
    more = [f"and {len(texts) - _KINDS} more kinds"] if len(texts) > _KINDS else []
    return ", ".join(texts[:_KINDS] + more) or "no layers with names"


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN] + ["..."] * (len(names) > _SHOWN))


def _near(layers: Mapping[str, Any], what: Place) -> str:
    near = difflib.get_close_matches(what, layers, n=3) if isinstance(what, str) else []
    return f"; nearest: {', '.join(near)}" if near else ""


def where(at: Place | None, after: Place | None, before: Place | None) -> tuple[Place, str]:
    """Return the one place that was given, and the side. **Raises** `SpecError` unless there is one."""
    given = [(what, side) for what, side in ((at, "after"), (after, "after"), (before, "before")) if what is not None]
    if len(given) != 1:
        raise SpecError(f"Say once where: the second argument, after= or before=; got {len(given)} of them.")
    return given[0]
