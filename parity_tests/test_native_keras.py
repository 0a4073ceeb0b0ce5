"""What Keras users do with a layer, on every backend of Keras, and what TensorFlow 1 users do with `se_block`."""

from __future__ import annotations

from pathlib import Path

import pytest
from blocks import CASES
from runtimes import in_keras, need

CHECKS = (
    "symbolic_with_unknown_height_and_width",
    "config_round_trip",
    "mixed_precision",
    "trains",
    "gates",
    "errors",
    "se_block_on_tensors",
    "se_block_errors",
)
FILE_CHECKS = (
    "saves_and_loads_with_options",
    "canonical_weights",
    "se_block_in_a_model",
    "res_block2_in_a_model",
    "attention_in_files",
)
CHOICES = ("each_layer_draws_for_itself", "choices_without_effect", "masks")
FILE_CHOICES = ("chosen", "loads_what_was_quantised", "own_blocks_are_saved", "backbones")
TENSORFLOW_CHECKS = (
    "tf_function_keeps_its_weights",
    "tf_function_with_unknown_sizes",
    "tf_function_gives_gradients",
    "graph_and_session",
)


@pytest.mark.parametrize("check", CHECKS)
def test_behaviour(keras_backend: str, check: str):
    in_keras(keras_backend, "keras_checks", check)


@pytest.mark.parametrize("check", FILE_CHECKS)
def test_files(keras_backend: str, check: str, tmp_path: Path):
    in_keras(keras_backend, "keras_checks", check, str(tmp_path))


@pytest.mark.parametrize("check", CHOICES)
def test_choices(keras_backend: str, check: str):
    in_keras(keras_backend, "keras_choices", check)


@pytest.mark.parametrize("check", FILE_CHOICES)
def test_choices_in_files(keras_backend: str, check: str, tmp_path: Path):
    in_keras(keras_backend, "keras_choices", check, str(tmp_path))


@pytest.mark.parametrize("check", TENSORFLOW_CHECKS)
def test_tensorflow(check: str):
    need("keras-tensorflow")
    in_keras("tensorflow", "tensorflow_checks", check)


def test_network(keras_backend: str, tmp_path: Path):
    in_keras(keras_backend, "keras_checks", "network", CASES["network"], str(tmp_path))
