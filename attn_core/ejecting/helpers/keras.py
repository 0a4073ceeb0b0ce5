"""Helpers of the files of Keras."""

from __future__ import annotations

import re

from attn_core.ejecting.helpers import channels_last
from attn_core.ejecting.helpers.shared import WAYS


def _in_keras(text: str) -> str:
    text = re.sub(
        r"\b(?:cast|whole)\((.*?), (x|theta|row)\)(?=[\s)]|$)", r"ops.cast(\1, \2.dtype)", text, flags=re.MULTILINE
    )
    text = text.replace("weights = softmax(", "weights = ops.softmax(")
    text = re.sub(r"\bxp\.", "ops.", text)
    return re.sub(r": Tensor|list\[Tensor\]| -> Tensor| -> list\[Tensor\]", _untyped, text)


def _untyped(found: re.Match[str]) -> str:
    return "list" if found[0].startswith("list") else ""


HELPERS = {
    "ways": WAYS,
    "uniform": '''def uniform(fan_in: int) -> keras.initializers.Initializer:
    """Return PyTorch's own law of weights and biases: uniform up to 1 / sqrt(fan_in)."""
    bound = 1 / math.sqrt(fan_in)
    return keras.initializers.RandomUniform(-bound, bound)
''',
    "variance_scaling": '''def variance_scaling(fan_in: int) -> keras.initializers.Initializer:
    """Return the law of TensorFlow 1's `variance_scaling_initializer`."""
    return keras.initializers.TruncatedNormal(stddev=math.sqrt(2.6 / fan_in))
''',
    "directions": '''def directions(shape, dtype=None):
    """Draw vectors of length 1 in any direction."""
    values = keras.random.normal(shape, dtype=dtype)
    return values / ops.norm(values, axis=-1, keepdims=True)
''',
    "maximum": '''def maximum(a, b):
    """Return the larger of two; of equal ones, each has half of the gradient."""
    return ops.where(a > b, a, ops.where(b > a, b, (a + b) / 2))
''',
    "gelu": '''def gelu(x):
    """Compute x * Phi(x); TensorFlow's own has a root of 2 in float32."""
    return x * (1 + ops.erf(x / math.sqrt(2))) / 2
''',
    "over_positions": '''def over_positions(x, tokens):
    """Divide by the number of positions of tokens."""
    return x / ops.cast(ops.shape(tokens)[1], x.dtype)
''',
    **{name: _in_keras(text) for name, text in channels_last.HELPERS.items()},
    "Affine": '''class Affine(keras.layers.Layer):
    """Multiply each channel of an image or a vector by a weight and add a bias."""

    def __init__(self, weight_initializer="ones", bias_initializer="zeros", **options):
        super().__init__(**options)
        self.weight_initializer = weight_initializer
        self.bias_initializer = bias_initializer

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.weight = self.add_weight(shape, self.weight_initializer, name="weight")
        self.bias = self.add_weight(shape, self.bias_initializer, name="bias")

    def call(self, x):
        return x * self.weight + self.bias
''',
    "Running": '''class Running(keras.layers.Layer):
    """An array that moves in training by a moving average, without a gradient."""

    def __init__(self, shape, momentum, value_initializer, **options):
        super().__init__(**options)
        self.momentum = momentum
        self.value = self.add_weight(shape, value_initializer, trainable=False, name="value")
        self.built = True

    def read(self):
        return ops.copy(self.value)  # the backward pass reads it after an update

    def update(self, new, training):
        """Move towards a new value; a batch without samples has none."""
        if training:
            old = ops.convert_to_tensor(self.value)
            moved = (1 - self.momentum) * old + self.momentum * ops.stop_gradient(new)
            self.value.assign(ops.where(ops.any(ops.isnan(new)), old, moved))
''',
}
