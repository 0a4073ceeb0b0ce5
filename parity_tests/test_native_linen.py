"""What users of Flax Linen do with a layer."""

from __future__ import annotations

from runtimes import need

need("linen")

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax.errors import ScopeParamShapeError

import attn_core as core
from attn_jax import linen


def image(*shape: int) -> jax.Array:
    return jax.random.normal(jax.random.key(1), shape or (2, 5, 6, 16))


def pair() -> tuple[linen.SqueezeExcitation, dict]:
    module = linen.SqueezeExcitation(4)
    return module, module.init(jax.random.key(0), image())


def difference(a: jax.Array, b: jax.Array) -> float:
    return float(jnp.abs(a - b).max())


def test_parameters():
    _, variables = pair()
    assert jax.tree.map(jnp.shape, variables) == {
        "params": {"reduce": {"kernel": (16, 4), "bias": (4,)}, "expand": {"kernel": (4, 16), "bias": (16,)}}
    }


def test_jit_grad_and_vmap():
    module, variables = pair()
    assert difference(jax.jit(module.apply)(variables, image()), module.apply(variables, image())) < 1e-6

    def loss(variables: dict, x: jax.Array) -> jax.Array:
        return jnp.square(module.apply(variables, x)).sum()

    samples = image(3, 2, 4, 4, 16)
    each = jax.vmap(jax.grad(loss), (None, 0))(variables, samples)
    whole = jax.grad(lambda v: sum(loss(v, sample) for sample in samples))(variables)
    for a, b in zip(jax.tree.leaves(each), jax.tree.leaves(whole), strict=True):
        assert difference(a.sum(0), b) < 1e-4 * float(jnp.abs(b).max())


def test_train_changes_nothing():
    module, variables = pair()
    assert difference(module.apply(variables, image(), train=True), module.apply(variables, image())) == 0


def test_inside_a_network_and_shared():
    class Network(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> tuple[jax.Array, dict[str, jax.Array]]:
            attention = linen.SqueezeExcitation(4, name="attention")
            return attention(attention(x)), attention.gates(x)

    variables = Network().init(jax.random.key(0), image())
    assert list(variables["params"]) == ["attention"]
    output, gates = Network().apply(variables, image())
    module, own = linen.SqueezeExcitation(4), {"params": variables["params"]["attention"]}
    assert difference(output, module.apply(own, module.apply(own, image()))) < 1e-6
    assert difference(gates["channel"], module.apply(own, image(), method="gates")["channel"]) == 0


def test_dtypes():
    module = linen.SqueezeExcitation(4, dtype=jnp.bfloat16)
    variables = module.init(jax.random.key(0), image())
    assert variables["params"]["reduce"]["kernel"].dtype == jnp.float32
    assert module.apply(variables, image()).dtype == jnp.bfloat16
    half = linen.SqueezeExcitation(4, param_dtype=jnp.bfloat16).init(jax.random.key(0), image())
    assert half["params"]["reduce"]["kernel"].dtype == jnp.bfloat16


def test_bind_weights_and_load(tmp_path):
    block = core.SqueezeExcitation(16, hidden=3, activation="silu")
    weights = core.initialise(block, seed=3)
    core.save(tmp_path / "se.safetensors", block, weights)
    bound = linen.load(tmp_path / "se.safetensors")
    found = linen.weights(bound)
    assert {name: array.tobytes() for name, array in found.items()} == {n: a.tobytes() for n, a in weights.items()}
    module, variables = bound.unbind()
    assert difference(module.apply(variables, image()), bound(image())) == 0
    assert linen.weights(linen.bind(block)).keys() == weights.keys()
    first, second = (linen.weights(linen.bind(block, key=jax.random.key(seed))) for seed in (1, 2))
    assert np.abs(first["reduce.weight"] - second["reduce.weight"]).max() > 0.1


def test_weights_of_an_unbound_module():
    with pytest.raises(ValueError, match="holds no weights") as caught:
        linen.weights(linen.SqueezeExcitation(4))
    assert str(caught.value) == ("SqueezeExcitation holds no weights: bind it first, weights(module.bind(variables)).")


def test_wrong_channels_are_explained():
    module, variables = pair()
    with pytest.raises(ScopeParamShapeError) as caught:
        module.apply(variables, image(2, 5, 5, 8))
    assert (
        "These are not weights of SqueezeExcitation(channels=8, reduction=4): reduce.weight must be (2, 8), "
        "got (4, 16); reduce.bias must be (2,), got (4,); expand.weight must be (8, 2), got (16, 4); "
        "expand.bias must be (8,), got (16,)."
    ) in caught.value.__notes__


def test_weights_of_stacked_layers():
    stacked = nn.vmap(linen.SqueezeExcitation, variable_axes={"params": 0}, split_rngs={"params": True})(4)
    bound = stacked.bind(stacked.init(jax.random.key(0), image(3, 2, 4, 4, 16)))
    with pytest.raises(core.WeightsError, match=r"not weights of one .*: expand.bias \(16, 3\)"):
        linen.weights(bound)


def test_only_one_note_for_a_new_module():
    with pytest.raises(core.ShapeError) as caught:
        linen.SqueezeExcitation(4).init(jax.random.key(0), image(2, 16))
    assert sum("SqueezeExcitation" in note for note in caught.value.__notes__) == 1


def test_integer_images_are_refused():
    """Their mean would overflow or be cut."""
    module, variables = pair()
    x = jnp.full((2, 5, 6, 16), 200, jnp.uint8)
    for run in (lambda: module.apply(variables, x), lambda: module.apply(variables, x, method="gates")):
        with pytest.raises(TypeError, match="an image holds floating-point numbers, got uint8: convert it first"):
            run()


def test_no_space_is_explained():
    module, variables = pair()
    with pytest.raises(core.ShapeError, match="at least one spatial axis, not 2 axes"):
        module.apply(variables, image(2, 16))


def test_wrong_configuration():
    with pytest.raises(core.SpecError, match="leaves no hidden unit: reduction must lie between 1 and 8"):
        linen.SqueezeExcitation(16).init(jax.random.key(0), image(1, 2, 2, 8))


def test_errors_of_compiled_calls_are_explained():
    module, variables = pair()
    with pytest.raises(ScopeParamShapeError) as caught:
        jax.jit(module.apply)(variables, image(2, 8, 5, 6))
    assert any("reduce.weight must be " in note for note in caught.value.__notes__)
