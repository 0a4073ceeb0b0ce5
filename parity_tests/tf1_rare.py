"""Operations that few programs have: old versions of others, and functions that no layer is made of."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tf1_parts import conv, head, image, stem, variable

raw = tf.raw_ops


def old_versions() -> Any:
    """Build with what TensorFlow's first releases wrote."""
    y = stem(image()[..., ::-1])
    stored = [variable(name, 8, low=0.5, high=1.5) for name in ("gamma", "beta", "mean", "variance")]
    given = dict(zip(("scale", "offset", "mean", "variance"), stored, strict=True), x=y, is_training=False)
    norms = [raw.FusedBatchNorm(**given), raw.FusedBatchNormV2(**given)]
    y = raw.AddN(inputs=[each.y for each in norms])
    y = raw.Concat(concat_dim=3, values=[y, raw.Div(x=y, y=4.0), raw.Inv(x=2.0 + tf.square(y))])
    y = raw.MaxPoolV2(input=y, ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="SAME")
    borders = [[0, 0], [1, 1], [0, 2], [0, 0]]
    return head(raw.PadV2(input=y, paddings=borders, constant_values=-0.5))


def functions_of_numbers() -> Any:
    """Build with functions that a program writes itself, and bounds."""
    y = stem(image())
    y = tf.math.erf(conv(y, "erf", 4)) + tf.math.log(1.0 + tf.square(conv(y, "log", 4)))
    y = tf.pow(tf.abs(y) + 0.5, 1.5) * tf.sign(y)
    return head(raw.ClipByValue(t=y, clip_value_min=-1.25, clip_value_max=2.0))


def entries() -> Any:
    """Build with parts of arrays by their places, taken apart and put together again in another order."""
    y = tf.reverse(stem(image()), [1, 3])
    y = tf.gather(y, [6, 1, 0, 3], axis=3)
    first, *others = tf.unstack(y, axis=3)
    y = tf.stack([others[1], first, others[0] * others[2]], axis=-1)
    y = tf.transpose(y, [0, 3, 1, 2])
    y = conv(tf.transpose(y, [0, 2, 3, 1])[:, 1:, ..., tf.newaxis, :][:, :, :, 0], "last", 4)
    return head(y)


def hard_activations() -> Any:
    """Build hard sigmoids and swishes, a sixth before or after, by a quotient, or not quite a sixth."""
    y = stem(image())
    y = conv(y, "first", 4)
    y = y * tf.nn.relu6(y + 3.0) * (1 / 6)
    y = conv(y, "second", 4)
    y = y * (tf.nn.relu6(y + 3.0) / 6.0)
    y = conv(y, "third", 4)
    y = y * (0.16667 * tf.nn.relu6(3.0 + y))
    y = conv(y, "fourth", 4)
    return head(y + tf.nn.relu6(conv(y, "gate", 4) + 3.0) / 6.0 - tf.nn.relu6(y + 3.0) / 5.0)


RARE = (old_versions, functions_of_numbers, entries, hard_activations)
