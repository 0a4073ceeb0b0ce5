"""The matrix of `attn parity`: correct runtimes pass, a wrong primitive or a changed definition fails and is named."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import matrix_checks
import ml_dtypes
import numpy as np
import pytest
from runtimes import FRAMEWORKS, in_keras, need
from tiers import TWINS, sample

import attn_core as core
from attn_core.interpreters.trace import trace
from attn_core.models.registry import KNOWN
from attn_core.parity import matrix, pinned
from attn_core.parity.draws import draw, held
from attn_core.parity.matrix import Plan, report, run
from attn_core.parity.result import BROKEN, FAILED, LEFT_OUT, PASSED, Cell
from attn_core.parity.subjects import chosen
from attn_core.spec import SpecError
from attn_core.spec.primitives import Primitives

ALL = chosen(["all"])


def cells(runtime: str, *texts: str, **options: Any) -> list[Cell]:
    return matrix_checks.cells(runtime, texts or ("all",), **options)


def anywhere(runtime: str, function: str, *given: Any, **options: Any) -> list[Cell]:
    """Call a function of `matrix_checks`; for keras-BACKEND, in that backend's process."""
    need(runtime)
    name, _, backend = runtime.partition("-")
    if backend:
        return in_keras(backend, "matrix_checks", function, name, *given, **options)
    return getattr(matrix_checks, function)(name, *given, **options)


EVERYWHERE = [(name, block) for name in FRAMEWORKS for block in KNOWN]


def not_a_twin(run: tuple[str, str]) -> bool:
    return run[0] not in TWINS or run[1] in ("SqueezeExcitation", "CBAM")


@pytest.mark.parametrize(("name", "block"), sample(EVERYWHERE, not_a_twin, "others here, and test_outcome in float64"))
def test_every_block_in_every_runtime(name: str, block: str):
    """With a seed that nobody has looked at."""
    found = anywhere(name, "cells", [block], seed=20261121)
    assert {cell.block for cell in found} == {block}
    assert PASSED in {cell.status for cell in found} <= {PASSED, LEFT_OUT}
    assert all(cell.tensors for cell in found if cell.status == PASSED)
    assert all("training changes nothing" in cell.message for cell in found if cell.status == LEFT_OUT)


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "float16"])
def test_every_block_in_other_dtypes(dtype: str):
    need("torch")
    assert {cell.status for cell in cells("torch", dtypes=[dtype], seed=5)} == {PASSED, LEFT_OUT}


def test_bounds_are_worth_having():
    """Half of all arrays come as close to their bounds as a hundredth; in fact as a tenth."""
    need("torch")
    found = cells("torch", draws=2, seed=77)
    shares = [tensor.share for cell in found for tensor in cell.tensors if tensor.error]
    assert 0.01 < np.median(shares) < 1


# ---- what is wrong is found, and named -------------------------------------------------------------------------------

MOVES = {"group", "ungroup", "channel_shuffle", "split", "concat", "depth_to_channels", "channels_to_depth"}
MOVES |= {"join", "cut", "exchange"}
MOVES |= {"to_tokens", "to_image", "flatten", "take", "matrices", "stop_gradient"}
SLIGHTLY = 2e-4
ARITHMETIC = sorted(name for name in vars(Primitives) if not name.startswith("_") and name not in MOVES)


def using(primitive: str) -> str:
    """Return a standard configuration that calls a primitive."""
    for trial in ALL:
        drawn = draw(trial.block, trial.shapes, 0)
        steps = trace(trial.block, drawn.weights, drawn.given, train=True)
        if any(step.name.rpartition(".")[2] == primitive for step in steps):
            return repr(trial.block)
    raise LookupError(f"no standard configuration calls {primitive}")


@pytest.mark.parametrize("primitive", ARITHMETIC)
def test_a_primitive_that_is_slightly_off_is_found_and_named(primitive: str, monkeypatch: pytest.MonkeyPatch):
    """Two parts in ten thousand, in PyTorch. What only training computes is told by the tensor: a running array."""
    need("torch")
    from attn_torch import ops

    text, own = using(primitive), getattr(ops, primitive)
    monkeypatch.setattr(ops, primitive, lambda *given: own(*given) * (1 + SLIGHTLY))
    (trial,) = (trial for trial in ALL if repr(trial.block) == text)
    found = [cell for cell in run(Plan([trial], ["torch"])) if cell.status == FAILED]
    assert found
    if primitive == "batch_mean":
        assert {tensor.name for tensor in found[0].tensors if not tensor.passed} == {"stat:bases.value"}
    else:
        assert {cell.where.rpartition(" ")[0].rpartition(".")[2] for cell in found} == {primitive}


@pytest.mark.parametrize("primitive", ["channel_shuffle", "take", "concat"])
def test_a_primitive_that_mixes_up_places_is_found_and_named(primitive: str, monkeypatch: pytest.MonkeyPatch):
    need("torch")
    from attn_torch import ops

    own = getattr(ops, primitive)

    def mixed(*given: Any) -> Any:
        result = own(*given)
        return result.flip(1 if result.shape[1] > 1 else 2)

    text = using(primitive)
    monkeypatch.setattr(ops, primitive, mixed)
    found = [
        cell for trial in ALL if repr(trial.block) == text for cell in run(Plan([trial], ["torch"], modes=["eval"]))
    ]
    assert [cell.status for cell in found] == [FAILED]
    assert primitive in found[0].where


@pytest.mark.parametrize("name", ["keras-tensorflow", "linen", "nnx"])
def test_a_wrong_primitive_is_named_in_other_runtimes(name: str):
    (cell,) = anywhere(name, "with_wrong_sigmoid", "CBAM(8, 2, 3, bias=True)")  # of which nothing was compiled yet
    inside = "channel (ChannelAttention)" if name == "linen" else "channel.sigmoid (primitive)"
    assert (cell.status, cell.where) == (FAILED, inside)


def changed_forward(block: type[core.Block], change: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> list[Cell]:
    monkeypatch.setattr(block, "forward", change)
    return [cell for cell in cells(pinned.DEFINITION) if cell.status == FAILED]


def test_a_changed_line_of_a_block_is_found_and_named(monkeypatch: pytest.MonkeyPatch):
    """The runtimes all change with it; the definition's pins do not."""

    def forward(self: core.SpatialAttention, f: Any, p: Any, x: Any) -> Any:
        planes = f.concat([f.channel_mean(x), f.channel_mean(x)])  # the maximum was lost
        gate = f.sigmoid(p.norm(p.conv(planes)) if self.norm else p.conv(planes))
        return f.multiply(x, gate)

    found = changed_forward(core.SpatialAttention, forward, monkeypatch)
    assert {cell.block for cell in found} == {"SpatialAttention", "CBAM", "ResidualBlock"}  # which have it as a part
    within = {cell.where.removeprefix("attention.").removeprefix("spatial.") for cell in found}
    assert within <= {"channel_mean, call 2", "concat"}


def test_the_definition_is_as_released(asked: tuple[str, ...]):
    found = cells(pinned.DEFINITION, *asked)
    assert {cell.status for cell in found} <= {PASSED, LEFT_OUT}
    assert {cell.text for cell in found if cell.status == PASSED} == {repr(trial.block) for trial in chosen(asked)}
    (other,) = cells(pinned.DEFINITION, "CBAM(64)", modes=["eval"])
    assert (other.status, other.message) == (LEFT_OUT, "no numbers are pinned for this configuration")


# ---- draws, choices, and what cannot be run --------------------------------------------------------------------------


def test_draws_are_the_same_everywhere():
    """A digest, made once: of another platform's numbers it would be another."""
    drawn = draw(core.CBAM(8, 2, 3, norm=True), ((2, 8, 5, 4),), 3)
    digest = hashlib.sha256()
    for array in (*drawn.weights.values(), *drawn.inputs, drawn.cotangent):
        digest.update(np.ascontiguousarray(array, "<f8").tobytes())
    assert digest.hexdigest() == DIGEST
    again = draw(core.CBAM(8, 2, 3, norm=True), ((2, 8, 5, 4),), 4)
    assert not np.array_equal(again.inputs[0], drawn.inputs[0])


DIGEST = "2f83bfc6d8fb957ecdf05172f40f114705afd24e584d1e45ae68d226599dc00f"


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_drawn_numbers_are_held_by_the_dtype(dtype: str):
    array = np.random.default_rng(0).standard_normal(1000) * np.logspace(-3, 3, 1000)
    kind = {"bfloat16": ml_dtypes.bfloat16, "float64": "float32"}.get(dtype, dtype)
    np.testing.assert_array_equal(held(array, dtype), array.astype(np.float32).astype(kind).astype(np.float64))


def test_a_seed_stands_for_its_draw():
    """The third of three draws is the first from a seed that is two higher."""
    need("torch")
    (three,) = cells("torch", "CBAM(8, 2, 3)", modes=["eval"], draws=3, seed=40)
    (last,) = cells("torch", "CBAM(8, 2, 3)", modes=["eval"], seed=42)
    assert three.shares[2] == last.shares[0]
    assert len(set(three.shares)) == 3
    assert max(three.shares) == three.share


def test_what_fails_to_run_is_told_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch):
    need("torch")
    from attn_torch import ops

    def broken(x: Any) -> Any:
        raise RuntimeError("out of order")

    monkeypatch.setattr(ops, "global_max", broken)
    found = {cell.block: cell for cell in cells("torch", "ChannelAttention(8, 2)", "PointwiseGate(4)", modes=["eval"])}
    assert found["PointwiseGate"].status == PASSED
    assert found["ChannelAttention"].status == BROKEN
    assert found["ChannelAttention"].message == "RuntimeError: out of order"
    assert found["ChannelAttention"].share == np.inf


def test_a_failure_is_told_even_if_its_steps_cannot_be_run(monkeypatch: pytest.MonkeyPatch):
    need("torch")
    from attn_torch import ops, runtime

    own = ops.sigmoid
    monkeypatch.setattr(ops, "sigmoid", lambda x: own(x) * (1 - SLIGHTLY))
    monkeypatch.delattr(runtime, "steps")
    (cell,) = cells("torch", "PointwiseGate(4)", modes=["eval"])
    assert (cell.status, cell.where) == (FAILED, "")
    assert cell.share > 1


def test_missing_runtimes_are_listed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(matrix, "_absence", lambda name: "there is none" if name == "linen" else "")
    plan = Plan(chosen(["ShuffleAttention"]), ["linen", pinned.DEFINITION], modes=["eval"])
    found = list(run(plan))
    assert [cell.runtime for cell in found] == [pinned.DEFINITION]
    assert report(found, plan.trials, plan.seed, plan.missing).missing == {"linen": "there is none"}
    assert len(plan) == len(found)


def test_chosen_blocks():
    assert {type(trial.block).__name__ for trial in ALL} == core.BLOCKS.keys() | core.MODELS.keys()
    assert len(chosen(["NonLocal"])) == 4
    assert chosen(["all", "CBAM"]) == ALL
    (own,) = chosen(["CBAM(64)"], [(1, 64, 9, 9)])
    assert own.shapes == ((1, 64, 9, 9),)
    (fixed,) = chosen(["HybridSN(13, 9, 3, hidden=(4, 3), filters=(2, 3, 2, 3), dropout=0.0)"])
    assert fixed.shapes == ((2, 1, 13, 9, 9),)
    (pair,) = chosen(["AffineSampler(4)"])
    assert pair.shapes == ((2, 64, 7, 6), (2, 2, 3))
    with pytest.raises(SpecError, match="configures no block"):
        chosen(["CBMA"])
