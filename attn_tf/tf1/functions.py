"""`se_block` and `res_block2` of the TensorFlow article, and what its listing calls but does not show.

In a graph of TensorFlow 1 they take the steps of the listing with the layers that it calls, so that operations, too,
have the names and shapes that programs ask a graph for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attn_core.blocks import SqueezeExcitation
from attn_tf.graphs import in_graph
from attn_tf.tf1 import in_keras


def se_block(bottom: Any, ratio: int = 16) -> Any:
    """Squeeze and excite, as the TensorFlow 1 function of this name does.

    In a graph of `tf.compat.v1` the variables are those of two `tf.layers.dense`: `dense/kernel`, `dense/bias`,
    `dense_1/kernel`, `dense_1/bias`, counted in each variable scope, and shared where the scope says `reuse`. Elsewhere
    every call makes new ones: on a symbolic `keras.Input` they belong to the model; in a `tf.function` to that trace of
    it; on eager tensors to this one call. Inside a subclassed Keras model, and wherever the variables are to be trained
    or saved by something that did not see the call, use ``attn_tf.SqueezeExcitation``.

    **Shape**: bottom is [N, H, W, C] with C known; returns the same shape.

    **Raises** `ValueError` if bottom has not four axes, if C is unknown, or if C // ratio is 0; `TypeError` if it holds
    integers; in a graph also what `get_variable` raises.
    """
    channels = _channels("se_block", "it takes the mean over H and W, and makes weights for C channels", bottom)
    block = SqueezeExcitation(channels, ratio)  # refuses a ratio that leaves no hidden unit
    if not in_graph(bottom):
        return in_keras.squeeze_excitation(bottom, block)
    from attn_tf.tf1 import layers

    bottom = layers.image(bottom)
    se = layers.spatial_mean(bottom)
    se = layers.dense(se, block.width, layers.relu)
    se = layers.dense(se, channels, layers.sigmoid)
    return bottom * se


def res_block2(
    bottom: Any,
    filters: Sequence[int],
    training: Any,
    use_bn: bool,
    use_se_block: bool,
    strides: int = 1,
    downsample: bool = False,
) -> Any:
    """Add to the image what two convolutions and `se_block` make of it, as the TensorFlow 1 function of this name does.

    `filters` are the numbers of channels after each of the convolutions; `strides` is of the first. With `downsample`
    the image itself goes through a convolution of one pixel: it must, where the shape changes. `training` is for
    `norm_layer`. Whose the variables are, see `se_block`. As a layer it is ``attn_tf.ResidualBlock(filters[1], strides,
    attention="SqueezeExcitation", hidden=filters[0], project=downsample, padding="same", bias=True, relu_last=True,
    momentum=0.01, eps=1e-3)``.

    **Shape**: [N, H, W, C] with C known to [N, ceil(H / strides), ceil(W / strides), filters[1]].
    """
    path_2 = bottom
    path_1 = conv_layer(bottom, filters[0], kernel_size=3, strides=strides)
    path_1 = norm_layer(path_1, training, use_bn)
    path_1 = relu(path_1)
    path_1 = conv_layer(path_1, filters[1], kernel_size=3)
    path_1 = norm_layer(path_1, training, use_bn)
    path_1 = relu(path_1)
    if use_se_block:
        path_1 = se_block(path_1)
    if downsample:
        path_2 = conv_layer(path_2, filters[1], kernel_size=1, strides=strides)
        path_2 = norm_layer(path_2, training, use_bn)
    return relu(path_1 + path_2)


def conv_layer(bottom: Any, filters: int, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1) -> Any:
    """Convolve with SAME padding and a bias: `tf.layers.conv2d(..., padding="same")`, with kernels as in `se_block`.

    **Shape**: [N, H, W, C] with C known to [N, ceil(H / strides), ceil(W / strides), filters].
    """
    _channels("conv_layer", "it makes a kernel for C channels", bottom)
    window = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
    if not in_graph(bottom):
        return in_keras.conv2d(bottom, filters, window, strides)
    from attn_tf.tf1 import layers

    return layers.conv2d(layers.image(bottom), filters, window, strides)


def norm_layer(bottom: Any, training: Any, use_bn: bool) -> Any:
    """Normalise each channel if `use_bn`: `tf.layers.batch_normalization` with its defaults.

    `training` is True, False or, in a graph, a tensor of one truth value. In a graph of `tf.compat.v1` the running
    averages move when the operations of the collection UPDATE_OPS are run, with the step of training.

    **Shape**: [N, H, W, C] with C known; returns the same shape.
    """
    if not use_bn:
        return bottom
    _channels("norm_layer", "it makes weights for C channels", bottom)
    if not in_graph(bottom):
        return in_keras.batch_normalization(bottom, training)
    from attn_tf.tf1 import layers

    return layers.batch_normalization(layers.image(bottom), training)


def relu(bottom: Any) -> Any:
    """Compute max(bottom, 0)."""
    if not in_graph(bottom):
        return in_keras.relu(bottom)
    from attn_tf.tf1 import layers

    return layers.relu(bottom)


def _channels(function: str, reason: str, bottom: Any) -> int:
    """Return the number of channels of an image [N, H, W, C]."""
    shape = _shape(bottom)
    if shape is None or len(shape) != 4 or shape[-1] is None:
        shown = "unknown" if shape is None else f"{shape}"
        raise ValueError(f"{function} takes a tensor [N, H, W, C] with C known, got shape {shown}: {reason}.")
    return int(shape[-1])


def _shape(x: Any) -> tuple[Any, ...] | None:
    """Return a shape, which of TensorFlow's tensors alone may be unknown."""
    listed = getattr(x.shape, "as_list", None)  # without TensorFlow 2's behaviour, items are no numbers
    if listed is None:
        return tuple(x.shape)
    return None if x.shape.rank is None else tuple(listed())
