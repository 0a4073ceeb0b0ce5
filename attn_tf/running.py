"""An array that moves in training, as the bases of expectation-maximization attention do."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class Running(keras.layers.Layer):
    """See `attn_core.spec.parts.Running`. Calls go through Keras, which so tells whether this is training."""

    def __init__(self, shape: tuple[int, ...], momentum: float, value_initializer: Any, **options: Any) -> None:
        super().__init__(**options)
        self.shape, self.momentum, self.initializer = shape, momentum, value_initializer

    def build(self, input_shape: Any = None) -> None:
        """Make the array."""
        self.value = self.add_weight(self.shape, self.initializer, trainable=False, autocast=False, name="value")

    def call(self, new: Any = None, training: bool | None = None) -> Any:
        """Return the array, after a new one moved it in training; one with a NaN in it moves nothing."""
        if new is not None and training and self.trainable:
            old, target = ops.convert_to_tensor(self.value), ops.cast(new, self.value.dtype)
            moved = (1 - self.momentum) * old + self.momentum * target
            self.value.assign(ops.where(ops.any(ops.isnan(target)), old, moved))
        # A copy: on torch, what is kept for the backward pass must not move with the array.
        return ops.cast(ops.copy(self.value), self.compute_dtype)

    def update(self, new: Any) -> None:
        """Move the array in training."""
        self(new)
