"""What `test_matrix.py` runs in the process of a Keras backend, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from attn_core.parity.matrix import Plan, run
from attn_core.parity.result import Cell
from attn_core.parity.subjects import chosen


def cells(runtime: str, texts: Sequence[str] = ("all",), **options: Any) -> list[Cell]:
    """Run standard configurations, or these."""
    return list(run(Plan(chosen(texts), [runtime], **options)))


def with_wrong_sigmoid(runtime: str, text: str) -> list[Cell]:
    """Run a block with a sigmoid that is a little too small."""
    if runtime == "keras":
        from attn_tf.ops import Images as ops  # noqa: N813
    else:
        from attn_jax import ops
    own = ops.sigmoid
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ops, "sigmoid", lambda *given: own(*given) * (1 - 2e-4))
        return cells(runtime, [text], modes=["eval"])
