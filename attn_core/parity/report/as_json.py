"""Form: JSON. The fields are those of the dataclasses, and reading is checked against their types."""

from __future__ import annotations

import json
import math
import reprlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from numbers import Integral, Real
from typing import Any, NoReturn, get_args, get_origin, get_type_hints

from attn_core.parity.result import BROKEN, FAILED, LEFT_OUT, PASSED, Report

FORMAT = 1  # raised when a field changes its name or meaning; a new field with a default leaves it
STATUSES = (PASSED, FAILED, BROKEN, LEFT_OUT)


def to_json(report: Report) -> str:
    """Return the report as strict JSON; NaN and infinities are the texts "nan", "inf" and "-inf".

    What JSON cannot hold in a configuration, such as a function, becomes its repr.
    """
    counts = Counter(cell.status for cell in report.cells)
    content = {"format": FORMAT, "counts": {status: counts[status] for status in STATUSES}, **_plain(report)}
    return json.dumps(content, allow_nan=False) + "\n"


def from_json(text: str | bytes) -> Report:
    """Return the report that `to_json` wrote; raises `ValueError` that names what is wrong with another text."""
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        _refuse(f"no JSON ({error})")
    if not isinstance(content, dict) or "format" not in content:
        _refuse("it does not say its format")
    if content["format"] != FORMAT:
        _refuse(f"format {reprlib.repr(content['format'])}, known here is {FORMAT}")
    report: Report = _read(Report, content, "")
    for i, cell in enumerate(report.cells):
        if cell.status not in STATUSES:
            _refuse(f"cells[{i}].status must be one of {', '.join(STATUSES)}, got {reprlib.repr(cell.status)}")
    return report


def _refuse(reason: str) -> NoReturn:
    raise ValueError(f"This is no report of attn parity: {reason}.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# ---- writing ---------------------------------------------------------------------------------------------------------


def _plain(value: object) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else str(float(value))
    return repr(value)


# ---- reading ---------------------------------------------------------------------------------------------------------


def _read(hint: Any, value: Any, place: str) -> Any:
    """Return the value as its type hint says; tuples are lists in JSON."""
    if is_dataclass(hint):
        return _record(hint, value, place)
    if hint is object:
        return tuple(_read(object, inner, place) for inner in value) if isinstance(value, list) else value
    if get_origin(hint) is tuple:
        return _tuple(get_args(hint), value, place)
    if get_origin(hint) is Mapping:
        inner = get_args(hint)[1]
        return {key: _read(inner, held, f"{place}.{key}") for key, held in _is(dict, value, place).items()}
    return _float(value, place) if hint is float else _is(hint, value, place)


def _record(kind: Any, value: Any, place: str) -> Any:
    given, hints = _is(dict, value, place), _hints(kind)
    dot = f"{place}." if place else ""
    for field in fields(kind):
        if field.name not in given and field.default is MISSING and field.default_factory is MISSING:
            _refuse(f"{dot}{field.name} is missing")
    names = [field.name for field in fields(kind) if field.name in given]
    return kind(**{name: _read(hints[name], given[name], dot + name) for name in names})


_hints = cache(get_type_hints)  # texts until they are evaluated, which is slow


def _tuple(hints: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    held = _is(list, value, place)
    each = [hints[0]] * len(held) if hints[-1] is ... else list(hints)
    if len(held) != len(each):
        _refuse(f"{place} must hold {len(each)} values, got {len(held)}")
    return tuple(_read(hint, inner, f"{place}[{i}]") for i, (hint, inner) in enumerate(zip(each, held, strict=True)))


def _float(value: Any, place: str) -> float:
    return float(value) if value in ("nan", "inf", "-inf") else float(_is(int | float, value, place))


def _is(kind: Any, value: Any, place: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        names = {dict: "an object", list: "a list", int: "a whole number", str: "a text"}
        _refuse(f"{place or 'the whole'} must be {names.get(kind, 'a number')}, got {reprlib.repr(value)}")
    return value
