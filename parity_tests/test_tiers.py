"""The tiers: what is left to the full one is another sample of what the ordinary one proves."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import groups
import pytest
import tiers

Key = Callable[[pytest.Item], str]


@pytest.mark.parametrize("key", [lambda item: "", tiers.runtime_of, tiers.block_of], ids=["kind", "runtime", "block"])
def test_nothing_is_left_out_altogether(request: pytest.FixtureRequest, key: Key):
    """Each kind of test keeps one in the ordinary tier, in each runtime, and of each block."""
    collected = request.config.stash[tiers.COLLECTED]
    ordinary = {(tiers.kind(item), key(item)) for item in collected if not item.get_closest_marker("full")}
    assert {(tiers.kind(item), key(item)) for item in collected} - ordinary == set()


def test_what_proves_the_same_is_named(request: pytest.FixtureRequest):
    marks = [mark for item in request.config.stash[tiers.COLLECTED] for mark in item.iter_markers("full")]
    assert all(len(mark.args) == 1 and mark.args[0] for mark in marks)


TOLD = {
    "test_outcome": ({"name": "nnx", "dtype": "float64", "case": "default"}, ("nnx", "SqueezeExcitation")),
    "test_runtime": (
        {"folder": "official/emanet_emau", "name": "torch"},
        ("torch", "ExpectationMaximizationAttention"),
    ),
    "test_torch_exports": ({"name": "CBAM"}, ("torch", "CBAM")),
    "test_keras_saves": ({"keras_backend": "jax"}, ("keras-jax", "")),
    "test_print": ({}, ("", "")),
}


@pytest.mark.parametrize("name", TOLD)
def test_a_test_tells_its_runtime_and_block(name: str):
    """As the tables of durations ask, and whoever wants the tests of one block."""
    given, told = TOLD[name]
    item = SimpleNamespace(name=name, callspec=SimpleNamespace(params=given))
    assert (tiers.runtime_of(item), tiers.block_of(item)) == told


GROUPS = {
    "parity_tests/test_parity.py::test_outcome[keras-torch-float32-default]": "keras-torch",
    "parity_tests/test_parity.py::test_outcome[torch-float32-keras]": "torch",
    "parity_tests/test_recordings.py::test_runtime[torch/001_cbam_1x1-eval-keras-jax-float64]": "keras-jax",
    "parity_tests/test_recordings.py::test_runtime[torch/001_cbam_1x1-eval-linen-float64]": "linen",
    "parity_tests/test_native_keras.py::test_saves[jax]": "keras-jax",
    "parity_tests/test_native_nnx.py::test_print": "nnx",
}


@pytest.mark.parametrize("nodeid", GROUPS)
def test_one_worker_runs_all_of_a_runtime(nodeid: str):
    assert groups.group_of(nodeid) == GROUPS[nodeid]


def test_other_tests_are_shared_out_one_by_one():
    nodeid = "parity_tests/test_spec.py::test_repr[SqueezeExcitation]"
    assert groups.group_of(nodeid) == nodeid
