"""Helpers of the files of JAX."""

from __future__ import annotations

import re

from attn_core.ejecting.helpers import channels_last
from attn_core.ejecting.helpers.shared import WAYS


def _in_jax(text: str) -> str:
    text = re.sub(r"\bcast\((.*), (x|theta)\) / cast\(last, x\)", r"(\1).astype(x.dtype) / last", text)
    text = re.sub(
        r"\b(?:cast|whole)\((.*?), (x|theta|row)\)(?=[\s)]|$)", r"\1.astype(\2.dtype)", text, flags=re.MULTILINE
    )
    text = text.replace("weights = softmax(", "weights = jax.nn.softmax(")
    text = re.sub(r"\bxp\.shape\((\w+)\)", r"\1.shape", text)
    return re.sub(r"\bxp\.", "jnp.", text).replace("Tensor", "jax.Array")


HELPERS = {
    "ways": WAYS,
    "uniform": '''def uniform(fan_in: int) -> Callable[..., jax.Array]:
    """Return PyTorch's own law of weights and biases: uniform up to 1 / sqrt(fan_in)."""
    bound = 1 / math.sqrt(fan_in)

    def draw(key: jax.Array, shape: tuple[int, ...], dtype: Any = float, **_: Any) -> jax.Array:
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    return draw
''',
    "directions": '''def directions(key: jax.Array, shape: tuple[int, ...], dtype: Any = float) -> jax.Array:
    """Draw vectors of length 1 in any direction."""
    values = jax.random.normal(key, shape, dtype)
    return values / jnp.linalg.norm(values, axis=-1, keepdims=True)
''',
    **{name: _in_jax(text) for name, text in channels_last.HELPERS.items()},
}
LINEN = {
    **HELPERS,
    "Affine": '''class Affine(nn.Module):
    """Multiply each channel of an image or a vector by a weight and add a bias."""

    channels: int
    weight_init: Callable[..., jax.Array] = jax.nn.initializers.ones
    bias_init: Callable[..., jax.Array] = jax.nn.initializers.zeros

    def setup(self) -> None:
        self.weight = self.param("weight", self.weight_init, (self.channels,))
        self.bias = self.param("bias", self.bias_init, (self.channels,))

    def __call__(self, x: jax.Array) -> jax.Array:
        return x * self.weight + self.bias
''',
    "Running": '''class Running(nn.Module):
    """An array that moves in training by a moving average, without a gradient."""

    shape: tuple[int, ...]
    momentum: float
    value_init: Callable[..., jax.Array]

    def setup(self) -> None:
        self.value = self.variable("batch_stats", "value", self.start)

    def start(self) -> jax.Array:
        return self.value_init(self.make_rng("params"), self.shape)

    def __call__(self) -> jax.Array:
        return self.value.value

    def update(self, new: jax.Array, train: bool) -> None:
        """Move towards a new value; a batch without samples has none."""
        if train and not self.is_initializing():
            old, new = self.value.value, jax.lax.stop_gradient(new)
            moved = (1 - self.momentum) * old + self.momentum * new
            self.value.value = jnp.where(jnp.isnan(new).any(), old, moved)
''',
}
NNX = {
    **HELPERS,
    "Affine": '''class Affine(nnx.Module):
    """Multiply each channel of an image or a vector by a weight and add a bias."""

    def __init__(
        self,
        channels: int,
        *,
        weight_init: Callable[..., jax.Array] = jax.nn.initializers.ones,
        bias_init: Callable[..., jax.Array] = jax.nn.initializers.zeros,
        rngs: nnx.Rngs,
    ) -> None:
        self.weight = nnx.Param(weight_init(rngs.params(), (channels,)))
        self.bias = nnx.Param(bias_init(rngs.params(), (channels,)))

    def __call__(self, x: jax.Array) -> jax.Array:
        return x * self.weight[...] + self.bias[...]
''',
    "Running": '''class Running(nnx.Module):
    """An array that moves in training by a moving average, without a gradient."""

    def __init__(
        self,
        shape: tuple[int, ...],
        momentum: float,
        *,
        value_init: Callable[..., jax.Array],
        rngs: nnx.Rngs,
    ) -> None:
        self.momentum = momentum
        self.value = nnx.BatchStat(value_init(rngs.params(), shape))
        self.use_running_average = False  # `eval()` of a model ends training

    def __call__(self) -> jax.Array:
        return self.value[...]

    def update(self, new: jax.Array) -> None:
        """Move towards a new value; a batch without samples has none."""
        if not self.use_running_average:
            old, new = self.value[...], jax.lax.stop_gradient(new)
            moved = (1 - self.momentum) * old + self.momentum * new
            self.value[...] = jnp.where(jnp.isnan(new).any(), old, moved)
''',
}
