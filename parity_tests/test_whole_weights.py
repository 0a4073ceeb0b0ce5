"""Layers whose weights are sharded or quantised: `weights` gives whole arrays, and `gates` works."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from runtimes import in_keras, need

import attn_core as core

BLOCK = core.CBAM(8, 2, 3, bias=True, norm=True)


@pytest.fixture
def torch():
    need("torch")
    import torch

    torch.manual_seed(0)
    return torch


@pytest.fixture
def one_process(torch) -> Iterator[None]:
    """Be a group of one process, for which FSDP shards as for many."""
    from torch import distributed

    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("each", [False, True])
def test_torch_sharded(torch, each: bool):
    """Whole, and with every layer inside for itself."""
    from torch.distributed.fsdp import fully_shard

    import attn_torch

    plain, x = attn_torch.bind(BLOCK).eval(), torch.randn(2, 8, 4, 5)
    layer = copy.deepcopy(plain)
    mesh = torch.distributed.init_device_mesh("cpu", (1,))
    for module in [*layer.children(), layer] if each else [layer]:
        fully_shard(module, mesh=mesh)
    assert type(layer.channel.reduce.weight).__name__ == "DTensor"
    gates, wanted = layer.gates(x), plain.gates(x)
    assert all(torch.equal(gates[name], wanted[name]) for name in wanted)
    assert torch.equal(layer(x), plain(x))
    with attn_torch.record_gates(layer) as recorded:
        layer(x)
    assert list(recorded) == ["channel", "spatial"]
    arrays = attn_torch.weights(layer)
    assert all(np.array_equal(array, arrays[name]) for name, array in attn_torch.weights(plain).items())


def test_torch_quantised(torch):
    import attn_torch

    plain, x = attn_torch.bind(core.SqueezeExcitation(8, 2)).eval(), torch.randn(2, 8, 4, 5)
    with warnings.catch_warnings(action="ignore"):  # PyTorch deprecates it
        layer = torch.ao.quantization.quantize_dynamic(plain, {torch.nn.Linear}, dtype=torch.qint8)
    assert layer.gates(x)["channel"].shape == (2, 8)
    arrays = attn_torch.weights(layer)
    for name, array in attn_torch.weights(plain).items():
        step = np.abs(array).max() / 127 if name.endswith("weight") else 0
        assert np.abs(arrays[name] - array).max() <= step


@pytest.mark.parametrize("knows", [True, False])
def test_torch_tensors_that_stand_for_others(torch, knows: bool):
    """As those of torchao, which hold whole numbers and a scale; one that gives no numbers is named."""
    from torch import Tensor

    import attn_torch

    class Halved(Tensor):
        @staticmethod
        def __new__(cls, inner):
            return Tensor._make_wrapper_subclass(cls, inner.shape, dtype=torch.float32)

        def __init__(self, inner):
            self.inner = inner

        def __tensor_flatten__(self):
            return ["inner"], None

        def dequantize(self):
            if not knows:
                raise NotImplementedError
            return self.inner / 2

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            return cls(args[0].inner) if func is torch.ops.aten.detach.default else NotImplemented

    layer = attn_torch.bind(core.SqueezeExcitation(8, 2))
    layer.reduce.weight = torch.nn.Parameter(Halved(torch.ones(4, 8)), requires_grad=False)
    if knows:
        assert np.array_equal(attn_torch.weights(layer)["reduce.weight"], np.full((4, 8), 0.5, np.float32))
        return
    with pytest.raises(TypeError, match=r"^reduce\.weight is a Halved, which gives no numbers: give weights the layer"):
        attn_torch.weights(layer)


def test_keras_quantised(keras_backend: str):
    in_keras(keras_backend, "keras_checks", "quantised")


SHARDED = """
import jax, numpy as np
from flax import nnx
from jax.sharding import Mesh, NamedSharding, PartitionSpec
import attn_core as core
from attn_jax import linen, nnx as package
block = core.SqueezeExcitation(8, 2)
sharding = NamedSharding(Mesh(jax.devices(), "n"), PartitionSpec("n"))
weights, x = core.initialise(block), np.ones((2, 3, 4, 8), "float32")
def same(found):
    return all(np.array_equal(found[name], array.astype("float32")) for name, array in weights.items())
module, variables = linen.bind(block, weights).unbind()
bound = module.bind(jax.device_put(variables, sharding))
layer = package.bind(block, weights)
nnx.update(layer, jax.device_put(nnx.state(layer), sharding))
assert len(layer.reduce.kernel.get_value().devices()) == len(jax.devices()) == 2
assert same(linen.weights(bound)) and same(package.weights(layer))
assert bound.gates(x)["channel"].shape == layer.gates(x)["channel"].shape == (2, 8)
"""


def test_jax_sharded():
    need("nnx")
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    done = subprocess.run([sys.executable, "-c", SHARDED], env=os.environ | flags, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
