"""A bench as JSON: circumstances, and for each contest times in seconds, ratios and bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from attn_core.interpreters.rounding.arithmetic import DTYPES
from attn_core.parity.bench.asked import Trial
from attn_core.parity.bench.running import Contest

BITS = {"float64": 64, "float32": 32, "float16": 16, "bfloat16": 16}
assert set(BITS) == set(DTYPES)


def image_bytes(trial: Trial) -> int:
    """Return the bytes of the image, in which memory is told."""
    return math.prod(trial.shapes[0]) * BITS[trial.dtype] // 8


def as_json(contests: Sequence[Contest], circumstances: dict[str, Any]) -> dict[str, Any]:
    """Return everything that was measured, ready for `json.dumps`."""
    return {"circumstances": circumstances, "contests": [_contest(each) for each in contests]}


def _contest(each: Contest) -> dict[str, Any]:
    trial = each.trial
    proof = each.proof
    return {
        "block": repr(trial.block),
        "shapes": [list(shape) for shape in trial.shapes],
        "dtype": trial.dtype,
        "pass": trial.way,
        "image_bytes": image_bytes(trial),
        "timed": [asdict(timed) for timed in each.timed],
        "ratios": [asdict(ratio) for ratio in each.ratios],
        "notes": list(each.notes),
        "check": None if proof is None else asdict(proof) | {"passed": proof.passed},
    }
