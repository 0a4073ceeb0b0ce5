"""The steps of a definition, in order, with what each computes."""

from __future__ import annotations

import numpy as np
import pytest
from blocks import CASES, EXAMPLES

import attn_core as core
from attn_core.interpreters.shapes import ShapeError
from attn_core.interpreters.trace import trace


def test_names_and_kinds_in_the_order_of_calls():
    block = core.CBAM(4, 2, 3)
    steps = trace(block, core.initialise(block), np.ones((1, 4, 3, 3)))
    perceptron = [("channel.reduce", "Dense"), ("channel.relu", "primitive"), ("channel.expand", "Dense")]
    assert [(step.name, step.kind) for step in steps] == [
        *(("channel.global_mean", "primitive"), *perceptron),
        *(("channel.global_max", "primitive"), *perceptron),
        *(("channel.add", "primitive"), ("channel.sigmoid", "primitive")),
        *(("channel.scale", "primitive"), ("channel", "ChannelAttention")),
        *((f"spatial.{name}", "primitive") for name in ("channel_mean", "channel_max", "concat")),
        *(("spatial.conv", "Conv"), ("spatial.sigmoid", "primitive")),
        *(("spatial.multiply", "primitive"), ("spatial", "SpatialAttention"), ("output", "CBAM")),
    ]


def test_a_block_that_is_called_is_a_step_and_so_is_each_piece():
    names = {name: [step.name for step in of(name)] for name in ("ShuffleAttention", "Res2Bottleneck")}
    assert names["ShuffleAttention"].count("split[1]") == 1
    assert names["Res2Bottleneck"][-1] == "output"


def of(name: str):
    case = EXAMPLES[name]
    return trace(case.block, case.weights, case.inputs, case.train)


@pytest.mark.parametrize("case", CASES)
def test_every_block_is_traced_to_its_output(case: str):
    c = CASES[case]
    steps = trace(c.block, c.weights, c.inputs, c.train)
    assert np.array_equal(steps[-1].output, core.evaluate(c.block, c.weights, c.inputs, c.train))
    parts = {name.rpartition(".")[0] for name in c.block.arrays()}
    assert parts <= {step.name for step in steps}


def test_each_step_has_its_inputs():
    block = core.SqueezeExcitation(4, 2)
    steps = {step.name: step for step in trace(block, core.initialise(block), np.ones((1, 4, 3, 3)))}
    assert steps["reduce"].inputs[0] is steps["global_mean"].output
    assert steps["scale"].inputs[1] is steps["sigmoid"].output
    assert len(next(step for step in of("CBAM") if step.name == "spatial.concat").inputs) == 2
    with pytest.raises(ShapeError):
        trace(block, core.initialise(block), np.ones((1, 5, 3, 3)))
