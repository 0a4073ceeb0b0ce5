"""`se_block` and `res_block2` in graphs of `tf.compat.v1`, judged by what TensorFlow 1.15 made of the same calls."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from runtimes import GOLDEN, in_keras, need
from terminal import NET, SE, Attn

from attn_core import tf1

SCENARIOS = list(json.loads((GOLDEN / "tf1_graphs" / "recorded.json").read_text())["graphs"])
CHECKPOINTS = ("se_block", "se_block_v1_format", "se_block_saved_model", "se_block_scoped_stack", "res_block2_net")
CHECKS = (
    "moving_averages",
    "restores_in_training_mode",
    "train_and_evaluate_share_weights",
    "fresh_weights",
    "no_pixels",
    "half_precision",
    "errors",
    "in_a_loop_and_a_function",
    "in_a_wrapped_function",
    "arrays_in_a_graph",
    "graphs_leave_the_rest_alone",
    "as_after_disable_v2_behavior",
)


def check(name: str, *args: str) -> None:
    need("keras-tensorflow")
    in_keras("tensorflow", "tf1_function_checks", name, *args)


@pytest.mark.parametrize("name", SCENARIOS)
def test_graph_is_that_of_tensorflow_1(name: str):
    """Variables, what is trained, slices, losses, updates and operations, by name; or the error."""
    check("scenario", name)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_checkpoint_of_tensorflow_1_is_restored(name: str):
    check("restores", name)


@pytest.mark.parametrize("name", CHECKS)
def test_programs(name: str):
    check(name)


def test_a_graph_for_each_mode(tmp_path: Path):
    check("a_graph_for_each_mode", str(tmp_path))


@pytest.mark.parametrize("kind", ["residual", "bases", "gates"])
def test_layers_in_a_graph(kind: str):
    check("layers_in_a_graph", kind)


@pytest.mark.parametrize(
    ("name", "original"), [("se_block", SE / "model.ckpt"), ("res_block2_net", NET / "model.ckpt-200")]
)
def test_what_is_exported_again_is_read(name: str, original: Path, tmp_path: Path):
    check("exported", name, str(tmp_path))
    wanted = tf1.find_blocks(original)
    for path in (tmp_path / "model.ckpt", tmp_path / "saved_model"):
        found = tf1.find_blocks(path)
        assert not found.undecided
        assert [(each.name, each.block) for each in found] == [(each.name, each.block) for each in wanted]
        for ours, theirs in zip(found, wanted, strict=True):
            assert all(np.array_equal(ours.weights[key], theirs.weights[key]) for key in theirs.weights)


def test_what_is_exported_again_is_ported(tmp_path: Path, attn: Attn):
    need("torch")
    check("exported", "se_block_scoped_stack", str(tmp_path))
    io = GOLDEN / "tf1" / "se_block_scoped_stack" / "io.npz"
    code, _, stderr = attn("port", "model.ckpt", "--to", "torch", "--out", "out", "--io", io, "--no-tensorflow")
    assert code == 0, stderr


def test_beside_keras_on_jax():
    need("keras-tensorflow")
    in_keras(need("keras-jax").removeprefix("keras-"), "tf1_function_checks", "beside_keras_on_jax")
