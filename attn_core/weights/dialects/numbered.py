"""Layers that TensorFlow names itself: `dense`, `dense_1`, ..., counted through a scope, two of them to a block.

Here the block of `net/dense_6` and `net/dense_7` has the prefix `net/#6/`, and its layers are `dense` and `dense_1`, as
those of a block that is alone in its scope.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from attn_core.weights.files.arrays import shape_of


def counted(state: Mapping[str, Any], base: str) -> dict[str, Any]:
    """Return the arrays with the layers of each block named as those of the first block of a scope."""
    pattern = re.compile(rf"((?:.*/)?){re.escape(base)}(?:_([0-9]{{1,9}}))?/([^/]+)", re.DOTALL)
    found = {key: match for key in state if (match := pattern.fullmatch(key))}
    kernels: dict[str, dict[int, tuple[int, ...]]] = defaultdict(dict)
    for key, match in found.items():
        if match[3] in ("kernel", "weights"):
            kernels[match[1]][int(match[2] or 0)] = shape_of(state[key])
    firsts = {scope: _firsts(shapes) for scope, shapes in kernels.items()}
    return {_renamed(found.get(key), firsts, base) or key: value for key, value in state.items()}


def _firsts(kernels: Mapping[int, tuple[int, ...]]) -> dict[int, int]:
    """Return for the number of each layer in a pair that of the pair's first: the second undoes the first's sizes."""
    firsts: dict[int, int] = {}
    for number, shape in sorted(kernels.items()):
        if number not in firsts and kernels.get(number + 1, ())[-2:] == shape[:-3:-1] and len(shape) >= 2:
            firsts |= {number: number, number + 1: number}
    return firsts


def _renamed(match: re.Match[str] | None, firsts: Mapping[str, Mapping[int, int]], base: str) -> str | None:
    number = int(match[2] or 0) if match else 0
    first = firsts.get(match[1], {}).get(number) if match else None
    if match is None or not first:
        return None
    return f"{match[1]}#{first}/{base}{'_1' * (number - first)}/{match[3]}"


def uncounted(key: str, base: str) -> str:
    """Return TensorFlow's own name of an array."""
    match = re.fullmatch(rf"(.*?)#([0-9]+)/{re.escape(base)}(_1)?/([^/]+)", key, re.DOTALL)
    return f"{match[1]}{base}_{int(match[2]) + bool(match[3])}/{match[4]}" if match else key
