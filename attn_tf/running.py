"""An array that moves in training, as the bases of expectation-maximization attention do."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from attn_tf.norms import over_replicas


class Running(keras.layers.Layer):
    """See `attn_core.spec.parts.Running`. Calls go through Keras, which so tells whether this is training."""

    def __init__(
        self,
        shape: tuple[int, ...],
        momentum: float,
        value_initializer: Any,
        synchronized: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.synchronized = synchronized
        self.shape, self.momentum, self.initializer = shape, momentum, value_initializer

    def build(self, input_shape: Any = None) -> None:
        """Make the array."""
        # Replicas that do not share what they move towards keep the mean of what each moved to.
        options = {"trainable": False, "autocast": False, "aggregation": "mean", "name": "value"}
        self.value = self.add_weight(self.shape, self.initializer, **options)

    def call(self, new: Any = None, training: bool | None = None) -> Any:
        """Return the array, after a new one moved it in training; one with a NaN in it moves nothing."""
        if new is not None and training and self.trainable:
            old, target = ops.convert_to_tensor(self.value), self._of_all(ops.cast(new, self.value.dtype))
            moved = (1 - self.momentum) * old + self.momentum * target
            self.value.assign(ops.where(ops.any(ops.isnan(target)), old, moved))
        # A copy: on torch, what is kept for the backward pass must not move with the array.
        return ops.cast(ops.copy(self.value), self.compute_dtype)

    def _of_all(self, new: Any) -> Any:
        """Return the mean over the replicas that have one, if they are synchronised: that of no samples is NaN."""
        if not self.synchronized:
            return new
        has_one = ops.cast(ops.logical_not(ops.any(ops.isnan(new))), new.dtype)
        known = ops.where(has_one > 0, new, ops.zeros_like(new))
        return over_replicas(known) / over_replicas(has_one)

    def update(self, new: Any) -> None:
        """Move the array in training."""
        self(new)
