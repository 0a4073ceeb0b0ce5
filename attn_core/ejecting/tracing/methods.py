"""Functions of a definition that it calls more than once, always alike: they stay functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from attn_core.ejecting.tracing.symbols import Call, Step, Symbol, Trace

METHOD = "method"  # the kind of a step that calls one


@dataclass
class Method:
    """A function of symbols: its parameters by name, its steps, and what it returns."""

    name: str
    doc: str
    inputs: dict[str, Symbol]
    steps: list[Step]
    output: Symbol

    @property
    def has_parts(self) -> bool:
        """Whether it needs the layer that it belongs to."""
        return any(step.part for step in self.steps)


def with_methods(trace: Trace) -> tuple[list[Step], list[Method]]:
    """Return a trace's steps with a step for each call of a method, and the methods."""
    steps, methods = list(trace.steps), []
    taken: set[int] = set()
    for calls in _repeated(trace):
        places = {place for call in calls for place in range(call.first, call.last)}
        if places & taken:
            continue
        taken |= places
        method = _method(trace, calls[0])
        methods.append(method)
        for call in calls:
            given = tuple(call.arguments[name] for name in method.inputs)
            part = "" if not method.has_parts else "self"
            steps[call.first] = Step(METHOD, (method.name, *given), [call.result], part)
            for place in range(call.first + 1, call.last):
                steps[place] = None  # type: ignore[call-overload]
            call.result.name = next((name for code, name in call.result.names if code is not call.code), "")
    return _alive([step for step in steps if step is not None], trace.output), methods


def _alive(steps: list[Step], output: Symbol) -> list[Step]:
    """Leave out what nobody reads: a definition may compute a gate that its output is not made of."""
    read, found = {output}, []
    for step in reversed(steps):
        if not step.outputs or read & {*step.outputs}:
            read |= {*step.inputs}
            found.append(step)
    return found[::-1]


def _repeated(trace: Trace) -> Iterator[list[Call]]:
    """Yield calls that do the same, the longest first."""
    groups: dict[Any, list[Call]] = {}
    for call in trace.calls:
        if key := _key(trace, call):
            groups.setdefault(key, []).append(call)
    several = [calls for calls in groups.values() if len(calls) > 1]
    yield from sorted(several, key=lambda calls: calls[0].first - calls[0].last)


def _key(trace: Trace, call: Call) -> Any:
    """Return what a call does, with numbers for its symbols; None for one that is no function of its own."""
    steps = trace.steps[call.first : call.last]
    is_plain = call.code.co_name.isidentifier() and isinstance(call.result, Symbol)
    if not is_plain or len(steps) < 2 or not _is_closed(trace, call):
        return None
    numbers: dict[Symbol, int] = {symbol: -i for i, symbol in enumerate(call.arguments.values(), 1)}
    for step in steps:
        for symbol in step.outputs:
            numbers[symbol] = len(numbers)
    done = tuple((step.kind, step.part, _numbered(step.given, numbers)) for step in steps)
    return call.code, done, numbers[call.result]


def _is_closed(trace: Trace, call: Call) -> bool:
    """Say whether a call reads its arguments only, and nobody reads anything of it but its result."""
    steps = trace.steps[call.first : call.last]
    made = {symbol for step in steps for symbol in step.outputs}
    known = made | set(call.arguments.values())
    outside = [*trace.steps[: call.first], *trace.steps[call.last :]]
    later = {symbol for step in outside for symbol in step.inputs} | {trace.output}
    read = {symbol for step in steps for symbol in step.inputs}
    return call.result in made and read <= known and later & made <= {call.result}


def _numbered(given: Any, numbers: dict[Symbol, int]) -> Any:
    if isinstance(given, Symbol):
        return ("symbol", numbers[given])
    if isinstance(given, list | tuple):
        return tuple(_numbered(each, numbers) for each in given)
    return repr(given)


def _method(trace: Trace, call: Call) -> Method:
    steps = trace.steps[call.first : call.last]
    read = {symbol for step in steps for symbol in step.inputs}
    inputs = {name: symbol for name, symbol in call.arguments.items() if symbol in read}
    name = call.code.co_name.strip("_")
    name = f"{name}_of" if name in trace.block.parts() else name  # a layer is called so
    return Method(name, call.doc, inputs, steps, call.result)
