"""Whole networks of TensorFlow 1 as source for every framework, against what TensorFlow recorded."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from bounds import PORTED, TENSORFLOW_1
from runtimes import GOLDEN, in_keras, need

from attn_core import parity, port_network, recorded
from attn_core.ported import Found, imported
from attn_core.port_network import Options, Port, canonical
from attn_core.tf1 import read_checkpoint
from attn_core.tf1.variables import catalogue
from attn_core.tf1.write.targets import RUNNERS, WRITERS

OF_ONE_BLOCK = ["tf1/se_block", "tf1/se_block_scoped_stack"]
OF_BLOCKS = ["bias_free", "one_by_one", "partitioned_variables", "resource_variables", "unscoped_stack", "decoys"]
OF_BLOCKS += ["swish_and_hard_gates", "channels_first", "training_graph"]
NETWORKS = ["slim_resnet_v1", "slim_resnet_v2", "separable", "inception", "two_towers", "activations", "se_resnet"]
CASES = [
    "tf1/res_block2_net",
    *OF_ONE_BLOCK,
    *(f"tf1_blocks/{name}" for name in OF_BLOCKS),
    *(f"tf1_networks/{name}" for name in [*NETWORKS, "channels_first"]),
]
RUNTIMES = ["torch", "nnx", "linen", "keras-tensorflow"]
OTHERS = ["keras-jax", "keras-torch"]


def checkpoint(case: str) -> Path:
    """Return the prefix of a case's checkpoint, which its graph lies beside."""
    return GOLDEN / case / ("model.ckpt-200" if case.endswith("res_block2_net") else "model.ckpt")


@cache
def ported(path: Path, target: str, **options: object) -> Port:
    return port_network.read(path, target, Options(**options), averages=False)


def put(port: Port, folder: Path) -> str:
    """Write source and weights; return the source's path."""
    (folder / "model.py").write_text(port.source)
    safetensors.numpy.save_file(port.arrays, folder / "weights.safetensors")
    return str(folder / "model.py")


def run(name: str, source: str, images: Sequence[np.ndarray], pulls: Sequence[np.ndarray]) -> list[Found]:
    """Run a source in a runtime."""
    images, pulls = ([np.asarray(array, np.float64) for array in arrays] for arrays in (images, pulls))
    if name.startswith("keras-"):
        return in_keras(name.removeprefix("keras-"), RUNNERS["keras"], "run", source, images, pulls)
    return import_module(RUNNERS[name]).run(source, images, pulls)


def pairs(case: str) -> dict[str, np.ndarray]:
    """Return what was recorded of the whole network."""
    arrays = recorded.arrays(GOLDEN / case / "io.npz")
    return {name: arrays[name] for name in arrays if name.startswith(("input", "output", "cotangent", "grad:input"))}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", RUNTIMES)
def test_network(name: str, case: str, tmp_path: Path):
    """Its outputs and gradients are those of the graph, at two sizes where it takes them, and those recorded."""
    port = ported(checkpoint(case), need(name).partition("-")[0])
    source = put(port, tmp_path)
    layout, result = port.network.image_axes, port.network.result.axes
    io = pairs(case)
    names = [key for key in io if key.startswith("input") and key.replace("input", "output") in io]
    images = [canonical(truth.image, layout) for truth in port.truths] + [canonical(io[key], layout) for key in names]
    outputs = [io[key.replace("input", "output")] for key in names]
    pulls = [truth.cotangent for truth in port.truths]
    pulls += [io["cotangent"] if key == "input" and "cotangent" in io else np.zeros_like(io[key.replace("input", "output")]) for key in names]
    found = run(name, source, images, [canonical(pull, result) for pull in pulls])
    for truth, each in zip(port.truths, found, strict=False):
        assert parity.error(each.single, canonical(truth.output, result)) < PORTED["float32"]
        assert parity.error(each.output, canonical(truth.output, result)) < PORTED["float64"]
        slope = (each.gradient * canonical(truth.direction, layout)).sum()
        assert abs(slope - truth.slope) < PORTED["float64"] * np.abs(each.gradient).sum()
    for key, output, each in zip(names, outputs, found[2:], strict=True):
        assert parity.error(each.single, canonical(output, result)) < TENSORFLOW_1["output"]
        if key == "input" and "grad:input" in io:
            theirs = canonical(io["grad:input"], layout)
            assert np.abs(each.gradient - theirs).max() < PORTED["float32"] * np.abs(theirs).max()
