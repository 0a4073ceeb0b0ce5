"""Networks as a whole: one that TensorFlow 1 trained, and a step of training in every runtime."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import runtimes
import training
from blocks import CASES
from bounds import BIASED, FLOAT64
from classifier import Classifier, turned, variables, weights
from runtimes import FRAMEWORKS, GOLDEN, need

import attn_core as core
from attn_core import parity
from attn_core.interpreters.rounding import bounded
from attn_core.models.stage import Stage

# ---- of TensorFlow 1 -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_network_of_tensorflow_1(name: str):
    """Logits in both modes, and the gradients of the image and of all squeeze-and-excitation weights."""
    with np.load(GOLDEN / "tf1" / "res_block2_net" / "io.npz") as file:
        io = dict(file)
    x = np.moveaxis(io["input"], -1, 1)
    found = runtimes.run(need(name), Classifier(), weights(), x, io["cotangent"])
    assert np.abs(found.output - io["output"]).max() < 1e-5
    assert io["output"].std() > 1
    trained = runtimes.run(name, Classifier(), weights(), x, train=True)
    assert np.abs(trained.output - io["output_train_mode"]).max() < 1e-4
    recorded = {ours: f"grad:{theirs}" for ours, theirs in variables().items() if f"grad:{theirs}" in io}
    assert len(recorded) == 16
    gradients = {ours: (found.gradients[ours], turned(io[theirs])) for ours, theirs in recorded.items()}
    gradients["input"] = found.gradients["input"], np.moveaxis(io["grad:input"], -1, 1)
    for key, (ours, theirs) in gradients.items():
        assert np.abs(ours - theirs).max() < 1e-5 * np.abs(theirs).max(), key


def test_network_of_tensorflow_1_in_the_reference():
    """Symmetric padding, and epsilon as in PyTorch, are far off."""
    with np.load(GOLDEN / "tf1" / "res_block2_net" / "io.npz") as file:
        x, logits = np.moveaxis(file["input"], -1, 1), file["output"]
    assert np.abs(core.evaluate(Classifier(), weights(), x) - logits).max() < 1e-5
    for wrong in ({"padding": "symmetric"}, {"eps": 1e-5}):
        blocks = tuple(replace(block, **wrong) for block in Classifier().parts()["stage"].blocks)
        stage = Stage(blocks)
        own = {key.removeprefix("stage."): a for key, a in weights().items() if key.startswith("stage.")}
        start = np.random.default_rng(0).standard_normal((1, 16, 12, 16))
        right = core.evaluate(Classifier().parts()["stage"], own, start)
        assert parity.error(core.evaluate(stage, own, start), right) > 1e-3


# ---- one step of training --------------------------------------------------------------------------------------------

LEARNERS = {"torch": training.in_torch, "linen": training.in_linen, "nnx": training.in_nnx}


ROUNDED = 2.0**-23  # of a number in float32, with room for another rounding


def chances(logits: np.ndarray) -> np.ndarray:
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def cotangent(case: str) -> np.ndarray:
    """Return the gradient of the mean cross-entropy by the logits."""
    c = CASES[case]
    logits = core.evaluate(c.block, c.weights, c.image, train=True)
    labels = np.arange(len(logits)) % logits.shape[1]
    return (chances(logits) - np.eye(logits.shape[1])[labels]) / len(labels)


@cache
def stepped(case: str, unbiased: bool) -> tuple[np.ndarray, training.Stepped]:
    """Compute labels, and from the definition's gradients the loss and what the step makes of the weights."""
    c = CASES[case]
    logits = core.evaluate(c.block, c.weights, c.image, train=True)
    labels = np.arange(len(logits)) % logits.shape[1]
    loss = -np.log(chances(logits)[np.arange(len(labels)), labels]).mean()
    # By the chain rule: number by number these are thousands of evaluations. `test_parity.py` compares the two.
    values = bounded(c.block, c.weights, c.image, cotangent(case), train=True, unbiased=unbiased).values
    steps = {key: training.RATE * gradient for key, gradient in values.gradients.items() if key != "input"}
    return labels, (float(loss), {key: c.weights[key] - step for key, step in steps.items()} | values.statistics)


@cache
def single(case: str, unbiased: bool) -> tuple[float, dict[str, np.ndarray]]:
    """Bound what float32 may make of the loss, and of the weights after the step.

    The loss moves by at most twice what a logit moves by. A weight is rounded once more when it is stored.
    """
    c, (_, (loss, wanted)) = CASES[case], stepped(case, unbiased)
    bounds = bounded(c.block, c.weights, c.image, cotangent(case), "float32", True, unbiased=unbiased).bounds
    moved = {key: bounds.get(f"stat:{key}", training.RATE * bounds.get(f"grad:{key}", 0)) for key in wanted}
    stored = {key: ROUNDED * abs(array) for key, array in wanted.items()}
    return 2 * bounds["output"].max() + ROUNDED * loss, {key: moved[key] + stored[key] for key in wanted}


@pytest.mark.parametrize("case", ["network_train", "hybrid_train"])
@pytest.mark.parametrize("name", FRAMEWORKS)
def test_one_step_of_training(name: str, case: str):
    """Same loss and same weights after it; running variances as each framework's own."""
    c = CASES[case]
    labels, (loss, wanted) = stepped(case, name not in BIASED)
    given = (c.block, c.weights, c.image, labels)
    if name.startswith("keras-"):
        found = runtimes.in_keras(need(name).removeprefix("keras-"), "training", "in_keras", *given)
    else:
        found = LEARNERS[need(name)](*given)
    assert found[1].keys() == wanted.keys()
    if name == "keras-torch":  # which has no float64
        loss_bound, bounds = single(case, unbiased=False)
        assert all((abs(found[1][key] - array) <= bounds[key]).all() for key, array in wanted.items())
    else:
        loss_bound = ROUNDED * loss if name.startswith("keras-") else FLOAT64  # Keras reports it in float32
        assert all(parity.error(found[1][key], array) <= FLOAT64 for key, array in wanted.items())
    assert abs(found[0] - loss) <= loss_bound
