"""Other people's Keras layers against the definition, on each backend."""

from __future__ import annotations

import pytest
from runtimes import in_keras


@pytest.fixture
def call(keras_backend: str):
    """Call a function of `foreign_keras` in the backend's process."""
    return lambda name, *args: in_keras(keras_backend, "foreign_keras", name, *args)


def test_right_layers_pass(call):
    assert call("of_se", "relu") == ""
    assert call("of_cbam", "CBAMLayer", False) == ""
    assert call("of_cbam", "CBAMLayer", True) == ""
    assert call("of_model") == ""
    assert "it shares the gradient among them" in call("remark_on_cbam")  # keras.ops.max
    assert call("of_ours", "channels_last") == call("of_ours", "channels_first") == ""


def test_wrong_layers_are_explained(call):
    lines = call("of_se", "silu").splitlines()
    assert lines[0].startswith("The Keras layer SELayer is not SqueezeExcitation(channels=8, reduction=4) in eval")
    assert lines[-2] == (
        "They agree up to global_mean and part ways at reduce: what goes into it is the same, what comes out is not."
    )
    assert lines[-1].startswith("It matches with activation='silu'")
    for activation, end in (("linear", "relu left out"), ("tanh", "tanh in place of relu")):
        assert call("of_se", activation).splitlines()[-1] == f"It matches with {end}."
    assert call("of_se", "leaky_relu").endswith("It matches with a leaky relu of slope 0.2 in place of relu.")
    swapped = call("of_cbam", "Swapped", True)
    assert "The two planes" not in swapped
    assert "part ways at spatial.conv" in swapped or "part ways before spatial.conv" in swapped
    end = "It matches with the two planes of spatial.conv swapped: this is jongchan's order (jongchan.CBAM)."
    assert swapped.count(end) == 2  # in evaluation and in training
    assert call("of_cbam", "Coarse", False).count("It matches with spatial.norm.eps=0.001.") == 2


def test_types(call):
    assert call("of_half") == ""
    assert call("of_another_type") == (
        "the Keras layer SELayer computes in float32, not in bfloat16: make it with dtype='bfloat16'."
    )


def test_threads_take_turns(call):
    assert call("in_threads") == 1


def test_the_layer_stays_as_it_is(call):
    assert call("untouched") is True
