"""What Flax users choose for the dense layers and convolutions of a block: how they begin, multiply and are spread."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from runtimes import need

import attn_core as core
from attn_core import parity

BLOCK = core.CBAM(8, 2, bias=True, spatial_bias=True)
KERNELS = ("channel.reduce.weight", "channel.expand.weight", "spatial.conv.weight")
CHANNELS_LAST = np.moveaxis(parity.sample_image((2, 8, 3, 4)), 1, -1).astype(np.float32)


def bound(runtime: str, block: core.Block = BLOCK, weights: Any = None, **options: Any) -> tuple[Any, dict[str, Any]]:
    """Return a layer of this runtime, and its canonical weights."""
    need(runtime)
    if runtime == "linen":
        from attn_jax import linen as package
    else:
        from attn_jax import nnx as package
    layer = package.bind(block, weights, **options)
    return layer, package.weights(layer)


@pytest.mark.parametrize("runtime", ["linen", "nnx"])
def test_every_kernel_and_bias_begins_as_chosen(runtime: str):
    need(runtime)
    import jax

    constant = jax.nn.initializers.constant
    _, found = bound(runtime, kernel_init=constant(0.5), bias_init=constant(0.25))
    assert {name: set(array.ravel()) for name, array in found.items()} == {
        name: {0.5 if name in KERNELS else 0.25} for name in BLOCK.arrays()
    }
    _, drawn = bound(runtime, bias_init=constant(0.25))
    assert all(len(set(drawn[name].ravel())) > 1 for name in KERNELS)  # the block's own law


@pytest.mark.parametrize("runtime", ["linen", "nnx"])
@pytest.mark.parametrize("option", ["kernel_init", "bias_init"])
def test_what_would_change_nothing_is_refused(runtime: str, option: str):
    need(runtime)
    import jax

    block = core.ShuffleAttention(8, 2) if option == "kernel_init" else core.SqueezeExcitation(8, 2, bias=False)
    with pytest.raises(core.SpecError) as caught:
        bound(runtime, block, **{option: jax.nn.initializers.zeros})
    rule = f"has no dense layer or convolution with a {option[:-5]}"
    assert str(caught.value) == f"{option} would be without effect: {block!r} {rule}."


@pytest.mark.parametrize("runtime", ["linen", "nnx"])
def test_every_product_has_the_precision(runtime: str):
    """Those of layers, of blocks inside, and those that blocks make themselves."""
    need(runtime)
    import jax

    for block in (BLOCK, core.NonLocal(8, mode="dot_product"), core.GlobalContext(8, 2)):
        precise, _ = bound(runtime, block, precision="highest")
        plain, _ = bound(runtime, block)
        products = [line for line in _program(jax, precise).splitlines() if "dot_general" in line or "conv_gen" in line]
        chosen = _program(jax, precise).count("HIGHEST")
        assert products
        assert chosen >= len(products)
        assert "HIGHEST" not in _program(jax, plain)
        np.testing.assert_array_equal(
            precise(CHANNELS_LAST), bound(runtime, block, precision=precision_of(jax))[0](CHANNELS_LAST)
        )


def precision_of(jax: Any) -> Any:
    return jax.lax.Precision.HIGHEST


def _program(jax: Any, layer: Any) -> str:
    return str(jax.make_jaxpr(lambda x: layer(x))(CHANNELS_LAST))


@pytest.mark.parametrize("runtime", ["linen", "nnx"])
def test_dtypes_are_promoted_as_chosen(runtime: str):
    seen: list[Any] = []

    def promote(*arrays: Any, dtype: Any = None, **options: Any) -> Any:
        from flax.linen.dtypes import promote_dtype

        seen.append(dtype)
        given = arrays if runtime == "linen" else arrays[0]
        promoted = promote_dtype(*given, dtype=dtype)
        return promoted if runtime == "linen" else tuple(promoted)

    layer, _ = bound(runtime, promote_dtype=promote)
    output = layer(CHANNELS_LAST)
    assert len(seen) >= len(KERNELS)
    np.testing.assert_array_equal(output, bound(runtime)[0](CHANNELS_LAST))


def test_linen_keeps_how_arrays_are_partitioned():
    """In fresh weights and in given ones; canonical weights have none of it."""
    need("linen")
    import jax
    from flax import linen as nn

    init = nn.with_partitioning(jax.nn.initializers.ones, (None, "model"))
    block = core.SqueezeExcitation(8, 2)
    fresh, found = bound("linen", block, kernel_init=init)
    given, again = bound("linen", block, found, kernel_init=init)
    for layer in (fresh, given):
        specs = nn.get_partition_spec(layer.variables)["params"]
        assert specs["reduce"]["kernel"] == jax.sharding.PartitionSpec(None, "model")
        assert specs["reduce"]["bias"] == jax.sharding.PartitionSpec()
        assert layer(CHANNELS_LAST).shape == CHANNELS_LAST.shape
    assert {name: array.tobytes() for name, array in found.items()} == {n: a.tobytes() for n, a in again.items()}


def test_nnx_keeps_how_arrays_are_partitioned():
    need("nnx")
    import jax
    from flax import nnx

    mesh = jax.make_mesh((1, 1), ("data", "model"), axis_types=(jax.sharding.AxisType.Auto,) * 2)
    init = nnx.with_partitioning(jax.nn.initializers.ones, (None, "model"))
    block = core.SqueezeExcitation(8, 2)
    with jax.set_mesh(mesh):
        fresh, found = bound("nnx", block, kernel_init=init)
        given, _ = bound("nnx", block, found, kernel_init=init)
        for layer in (fresh, given):
            specs = nnx.get_partition_spec(nnx.state(layer, nnx.Param))
            assert specs["reduce"]["kernel"].get_value() == jax.sharding.PartitionSpec(None, "model")
            assert layer(CHANNELS_LAST).shape == CHANNELS_LAST.shape
