"""Gates that start as the identity leave their start: how far in 100 steps, beside the paper's start."""

from __future__ import annotations

import pytest
from runtimes import need
from tiers import left

need("torch")

from insert_toy import gate_blocks, moved

LEAST = 0.1  # of what the same gates move from their paper's start; what is stuck moves by less than a hundredth
SOME = ("SqueezeExcitation", "ShuffleAttention")


@pytest.mark.parametrize("which", ["two", left("all", "two blocks, of which one once was stuck")])
def test_gates_leave_their_start(which: str):
    for name, block in gate_blocks().items():
        if which == "all" or name in SOME:
            found, papers = moved(block, "identity"), moved(block, "paper")
            assert found > LEAST * papers, f"{name}: {found:.4f}, from the paper's start {papers:.4f}"
