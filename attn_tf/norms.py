"""Keras' layers of normalisation, with arithmetic of their own.

On JAX and torch those of Keras 3.15 compute float64 in float32, and on torch a variance is E(x²) - E(x)², which cancels
where the mean is large.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from attn_tf.arrays import count, cut, wide


@keras.saving.register_keras_serializable("attn")
class BatchNorm(keras.layers.BatchNormalization):
    """See `attn_core.spec.parts.BatchNorm`; running variances move to the biased variance, as always in Keras."""

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Normalise each channel of an image, with its own moments in training unless the layer is frozen."""
        y, rank = ops.cast(x, wide(x)), len(x.shape)
        if training and self.trainable:
            others = [axis for axis in range(rank) if axis != self.axis]
            mean, variance, numbers = self._of_batch(y, others)
            self._move(self.moving_mean, mean, numbers)
            self._move(self.moving_variance, variance, numbers)
        else:
            mean, variance = self._spread(self.moving_mean, y), self._spread(self.moving_variance, y)
        weight, bias = self._spread(self.gamma, y), self._spread(self.beta, y)
        return ops.cast(_standardised(y, mean, variance, self.epsilon) * weight + bias, x.dtype)

    def _of_batch(self, x: Any, axes: Sequence[int]) -> tuple[Any, Any, Any]:
        """Return mean, biased variance and how many numbers they are of; of all replicas, if they are synchronised."""
        if not self.synchronized:
            return *_moments(x, axes), count(x, axes)
        numbers = over_replicas(count(x, axes))
        mean = over_replicas(ops.sum(x, axes, keepdims=True)) / numbers
        return mean, over_replicas(ops.sum(ops.square(x - mean), axes, keepdims=True)) / numbers, numbers

    def _spread(self, numbers: Any, x: Any) -> Any:
        shape = [1] * len(x.shape)
        shape[self.axis] = -1
        return ops.reshape(ops.cast(numbers, x.dtype), shape)

    def _move(self, variable: Any, target: Any, numbers: Any) -> None:
        target = ops.cast(ops.reshape(target, (-1,)), variable.dtype)
        old = ops.convert_to_tensor(variable)
        moved = self.momentum * old + (1 - self.momentum) * target
        variable.assign(ops.where(numbers > 0, moved, old))  # a batch without samples has no moments


@keras.saving.register_keras_serializable("attn")
class GroupNorm(keras.layers.GroupNormalization):
    """See `attn_core.spec.parts.GroupNorm`."""

    def call(self, x: Any) -> Any:
        """Normalise each group of channels of each sample."""
        y, rank = ops.cast(x, wide(x)), len(x.shape)
        axis = self.axis % rank
        groups = cut(y, axis, self.groups)
        mean, variance = _moments(groups, [i for i in range(1, rank + 1) if i != axis])
        shape = [1] * (rank + 1)
        shape[axis : axis + 2] = [self.groups, -1]
        weight, bias = (ops.reshape(ops.cast(numbers, y.dtype), shape) for numbers in (self.gamma, self.beta))
        normalised = _standardised(groups, mean, variance, self.epsilon) * weight + bias
        return ops.cast(ops.reshape(normalised, ops.shape(x)), x.dtype)


@keras.saving.register_keras_serializable("attn")
class LayerNorm(keras.layers.LayerNormalization):
    """See `attn_core.spec.parts.LayerNorm`."""

    def call(self, x: Any) -> Any:
        """Normalise the last axis."""
        y = ops.cast(x, wide(x))
        weight, bias = (ops.cast(numbers, y.dtype) for numbers in (self.gamma, self.beta))
        return ops.cast(_standardised(y, *_moments(y, [-1]), self.epsilon) * weight + bias, x.dtype)


def over_replicas(x: Any) -> Any:
    """Return the sum over the replicas of TensorFlow's strategy."""
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, ops.convert_to_tensor(x))


def _moments(x: Any, axes: Sequence[int]) -> tuple[Any, Any]:
    """Return mean and biased variance, the axes kept with length 1."""
    numbers = count(x, axes)
    mean = ops.sum(x, axes, keepdims=True) / numbers
    return mean, ops.sum(ops.square(x - mean), axes, keepdims=True) / numbers


def _standardised(x: Any, mean: Any, variance: Any, eps: float) -> Any:
    return (x - mean) / ops.sqrt(variance + eps)
