"""Layers that TensorFlow names itself: `dense`, `dense_1`, ..., counted through a scope, two of them to a block.

Here the block of `net/dense_6` and `net/dense_7` has the prefix `net/#6/`, and its layers are `dense` and `dense_1`, as
those of a block that is alone in its scope.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from attn_core.weights.files.arrays import Shape


def counted(shapes: Mapping[str, Shape], base: str) -> dict[str, str]:
    """Return for each name that in which the layers of each block are called as those of a scope's first block.

    `base` is what TensorFlow calls the layers, or nothing where they are not numbered: names stay as they are.
    """
    if not base:
        return {key: key for key in shapes}
    pattern = re.compile(rf"((?:.*/)?){re.escape(base)}(?:_([0-9]{{1,9}}))?/([^/]+)", re.DOTALL)
    found = {key: match for key in shapes if (match := pattern.fullmatch(key))}
    kernels: dict[str, dict[int, Shape]] = defaultdict(dict)
    for key, match in found.items():
        if match[3] in ("kernel", "weights"):
            kernels[match[1]][int(match[2] or 0)] = shapes[key]
    firsts = {scope: _firsts(own) for scope, own in kernels.items()}
    return {key: _renamed(found.get(key), firsts, base) or key for key in shapes}


def _firsts(kernels: Mapping[int, Shape]) -> dict[int, int]:
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
