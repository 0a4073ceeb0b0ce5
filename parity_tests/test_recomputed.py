"""Layers that keep state under activation checkpointing, and on batches without samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from runtimes import FRAMEWORKS, in_keras, need

import attn_core as core
from attn_core import parity

BLOCK = core.ExpectationMaximizationAttention(6, bases=3)
WEIGHTS = core.initialise(BLOCK, 1)
IMAGE = parity.sample_image((2, 6, 5, 4)).astype(np.float32)
MOVING = ("bases.value", "norm.running_mean", "norm.running_var")


# ---- PyTorch ---------------------------------------------------------------------------------------------------------


def in_torch(call: Callable[[Any, Any], Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient of `fuse` and the bases after a step in which a layer is called in this way."""
    import torch

    import attn_torch

    layer = attn_torch.bind(BLOCK, WEIGHTS).train()
    x = torch.tensor(IMAGE, requires_grad=True)
    (call(layer, x) ** 2).sum().backward()
    return layer.fuse.weight.grad.numpy(), layer.bases.value.numpy()


@pytest.mark.parametrize("reentrant", [True, False])
def test_torch_checkpoint(reentrant: bool):
    """The second forward pass reads what the first one read, and moves nothing."""
    need("torch")
    from torch.utils.checkpoint import checkpoint

    plain = in_torch(lambda layer, x: layer(x))
    recomputed = in_torch(lambda layer, x: checkpoint(layer, x, use_reentrant=reentrant))
    for wanted, found in zip(plain, recomputed, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_torch_checkpoint_over_several_steps():
    need("torch")
    import torch
    from torch.utils.checkpoint import checkpoint

    import attn_torch

    ends = []
    for use in (False, True):
        layer = attn_torch.bind(BLOCK, WEIGHTS).train()
        optimizer = torch.optim.SGD(layer.parameters(), 0.1)
        for step in range(3):
            x = torch.tensor(IMAGE + step, requires_grad=True)
            y = checkpoint(layer, x, use_reentrant=False) if use else layer(x)
            (y**2).sum().backward()
            optimizer.step()
        ends.append(layer)
    for name in ("fuse.weight", "bases.value"):
        np.testing.assert_array_equal(*(end.state_dict()[name].numpy() for end in ends))


def test_torch_checkpoint_of_an_earlier_pass_is_refused():
    """Only the last pass's array is kept: another one would be computed from the wrong numbers."""
    need("torch")
    import torch
    from torch.utils.checkpoint import checkpoint

    import attn_torch

    layer = attn_torch.bind(BLOCK, WEIGHTS).train()
    first, second = (torch.tensor(IMAGE * k, requires_grad=True) for k in (1, -2))
    total = sum((checkpoint(layer, x, use_reentrant=False) ** 2).sum() for x in (first, second))
    with pytest.raises(RuntimeError, match="the running array that it read has moved since"):
        total.backward()


def test_torch_copies_and_saves_state_alone():
    """What is kept for a second pass is no state: neither a checkpoint's nor a copy's."""
    need("torch")
    import copy
    import pickle

    import torch

    import attn_torch

    layer = attn_torch.bind(BLOCK, WEIGHTS).train()
    layer(torch.tensor(IMAGE))
    assert set(layer.state_dict()) == set(attn_torch.bind(BLOCK).state_dict())
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(twin.bases.value, layer.bases.value)


# ---- JAX -------------------------------------------------------------------------------------------------------------


def test_linen_checkpoint():
    need("linen")
    import jax
    import jax.numpy as jnp
    from flax import linen as flax_linen

    from attn_jax import linen

    module, variables = linen.bind(BLOCK, WEIGHTS).unbind()
    statistics, x = variables["batch_stats"], jnp.asarray(np.moveaxis(IMAGE, 1, -1))
    again = flax_linen.remat(type(module), static_argnums=(2,))

    def loss(params: Any, apply: Any) -> Any:
        y, moved = apply({"params": params, "batch_stats": statistics}, x)
        return (y**2).sum(), moved["batch_stats"]

    def plain(variables: Any, x: Any) -> Any:
        return module.apply(variables, x, train=True, mutable=["batch_stats"])

    def inside(variables: Any, x: Any) -> Any:
        rebuilt = again(**{name: getattr(module, name) for name in ("bases", "dtype", "param_dtype")})
        return rebuilt.apply(variables, x, True, mutable=["batch_stats"])

    ways = [plain, jax.checkpoint(plain)] + ([inside] if _takes_train_by_place(module) else [])
    found = [jax.grad(loss, has_aux=True)(variables["params"], way) for way in ways]
    for other in found[1:]:
        jax.tree.map(np.testing.assert_array_equal, other, found[0])


def _takes_train_by_place(module: Any) -> bool:
    import inspect

    kind = inspect.signature(type(module).__call__).parameters["train"].kind
    return kind is inspect.Parameter.POSITIONAL_OR_KEYWORD


def test_nnx_remat():
    need("nnx")
    import jax.numpy as jnp
    from flax import nnx as flax_nnx

    from attn_jax import nnx

    x = jnp.asarray(np.moveaxis(IMAGE, 1, -1))
    found = []
    for way in (lambda layer, x: layer(x), flax_nnx.remat(lambda layer, x: layer(x))):
        layer = nnx.bind(BLOCK, WEIGHTS)
        layer.train()
        gradient = flax_nnx.grad(lambda layer, way=way: (way(layer, x) ** 2).sum())(layer)
        found.append((gradient["fuse"]["kernel"][...], layer.bases.value[...], layer.norm.mean[...]))
    for plain, recomputed in zip(*found, strict=True):
        np.testing.assert_array_equal(recomputed, plain)


# ---- Keras -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FRAMEWORKS if name.startswith("keras")])
def test_keras_remat(name: str):
    """What Keras computes again is not told that it is in training: layers for which that matters are refused."""
    said, plain, recomputed = in_keras(need(name).removeprefix("keras-"), "test_recomputed", "keras_remat")
    assert said == (
        "ExpectationMaximizationAttention does not go into keras.RematScope: what Keras computes again for the "
        "gradient does not know that it is in training. Make the layer outside of the scope."
    )
    np.testing.assert_array_equal(recomputed, plain)


def keras_remat() -> tuple[str, np.ndarray, np.ndarray]:
    """Return how a layer with state is refused, and gradients of one without, outside and inside the scope."""
    import keras

    import attn_tf
    from attn_tf.passes import through_layer

    said = ""
    try:
        with keras.RematScope(mode="full"):
            attn_tf.bind(BLOCK, WEIGHTS)
    except NotImplementedError as error:
        said = str(error)
    block, found = core.ChannelAttention(6, 2), []
    for scope in (keras.name_scope("plain"), keras.RematScope(mode="full")):
        with scope:
            layer = attn_tf.bind(block, core.initialise(block), data_format="channels_last")
        x = keras.ops.convert_to_tensor(np.moveaxis(IMAGE, 1, -1))
        if keras.backend.backend() == "jax":
            break  # whose checkpoint takes the flag of training for an array: an error of its own
        _, gradients, _ = through_layer(layer, [x], x)
        found.append(keras.ops.convert_to_numpy(gradients[0]))
    return said, *(found or [IMAGE, IMAGE])


# ---- no samples ------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value encountered")
@pytest.mark.parametrize("runtime", ["reference", *FRAMEWORKS])
def test_an_empty_batch_moves_nothing(runtime: str):
    """The last batch of a shard may hold no sample: statistics stay what they are, and the output is empty."""
    empty = np.zeros((0, 6, 5, 4), np.float32)
    if runtime == "reference":
        found = WEIGHTS | core.reference.statistics(BLOCK, WEIGHTS, empty)
    elif runtime.startswith("keras"):
        found = in_keras(need(runtime).removeprefix("keras-"), "test_recomputed", "keras_moved", empty)
    else:
        found = moved(need(runtime), empty)
    for name in MOVING:
        np.testing.assert_array_equal(found[name], WEIGHTS[name], err_msg=name)


def keras_moved(image: np.ndarray) -> dict[str, np.ndarray]:
    import attn_tf

    layer = attn_tf.bind(BLOCK, WEIGHTS, data_format="channels_first")
    assert tuple(layer(image, training=True).shape) == image.shape
    return attn_tf.weights(layer)


def moved(runtime: str, image: np.ndarray) -> dict[str, np.ndarray]:
    if runtime == "torch":
        import torch

        import attn_torch

        layer = attn_torch.bind(BLOCK, WEIGHTS).train()
        assert tuple(layer(torch.tensor(image)).shape) == image.shape
        return attn_torch.weights(layer)
    import jax.numpy as jnp

    x = jnp.asarray(np.moveaxis(image, 1, -1))
    if runtime == "nnx":
        from attn_jax import nnx

        module = nnx.bind(BLOCK, WEIGHTS)
        module.train()
        assert module(x).shape == x.shape
        return nnx.weights(module)
    from attn_jax import linen

    module, variables = linen.bind(BLOCK, WEIGHTS).unbind()
    y, after = module.apply(variables, x, train=True, mutable=["batch_stats"])
    assert y.shape == x.shape
    return linen.weights(module.bind(variables | after))
