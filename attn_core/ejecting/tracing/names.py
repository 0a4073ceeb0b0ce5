"""The names that a definition gives to what it computes, heard while it runs.

A definition says `hidden = f.relu(p.reduce(z))`; whoever writes it down for a framework should say `hidden`, too.
Python tells of every line that is run (`sys.settrace`), and so which variable holds which symbol.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from attn_core.ejecting.tracing.symbols import Call, Symbol, Trace, symbols_in

Hearing = Callable[[FrameType, str, Any], Any]


@contextmanager
def heard(trace: Trace) -> Iterator[None]:
    """Name the symbols of a trace as the definition, run meanwhile, calls them; note the calls of its functions.

    The functions are those that whoever enters this context calls, and those that these call; not what a primitive or
    a part, which are not the definition's, calls in turn.
    """
    before = sys.gettrace()
    sys.settrace(_Listener(trace, sys._getframe(2)).enter)
    try:
        yield
    finally:
        sys.settrace(before)


class _Listener:
    def __init__(self, trace: Trace, base: FrameType) -> None:
        self.trace, self.own = trace, {base}
        self.here = __package__

    def enter(self, frame: FrameType, event: str, _: Any) -> Hearing | None:
        """Follow a function of the definition."""
        is_ours = str(frame.f_globals.get("__name__", "")).startswith(self.here)
        if is_ours or frame.f_back not in self.own:
            return None
        self.own.add(frame)
        given = {name: value for name, value in frame.f_locals.items() if isinstance(value, Symbol)}
        call = Call(frame.f_code, given, len(self.trace.steps), _doc(frame))
        self.trace.calls.append(call)

        def follow(frame: FrameType, event: str, value: Any) -> Hearing:
            for name, held in frame.f_locals.items():
                if held is not given.get(name):
                    _name(name, held, frame.f_code)
            if event == "return":
                self.own.discard(frame)
                call.last, call.result = len(self.trace.steps), value
                if frame.f_code.co_name == "gates" and isinstance(value, dict):
                    _name_gates(value)
            return follow

        return follow


def _doc(frame: FrameType) -> str:
    """Return the first paragraph of the docstring of the function that a frame runs."""
    name = frame.f_code.co_name
    function = getattr(type(frame.f_locals.get("self")), name, None) or frame.f_globals.get(name)
    return (getattr(function, "__doc__", None) or "").strip().split("\n\n")[0]


def _name(name: str, held: Any, code: CodeType) -> None:
    """Give a symbol its first name."""
    if not name.isidentifier():  # Python's own, of a comprehension
        return
    if isinstance(held, Symbol):
        held.name = held.name or name
        if (code, name) not in held.names:
            held.names.append((code, name))
    elif isinstance(held, list | tuple):
        for i, symbol in enumerate(held):
            if isinstance(symbol, Symbol):
                symbol.place = symbol.place or (name, i)


def _name_gates(found: dict[str, Any]) -> None:
    for name, gate in found.items():
        for symbol in symbols_in(gate):
            symbol.name = symbol.name or ("gate" if len(found) == 1 else f"{name}_gate")
