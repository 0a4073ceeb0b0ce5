"""Small networks in the forms that TensorFlow 1 programs have; built, saved and run where TensorFlow is."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tf1_detectors import DETECTORS
from tf1_parts import RNG, conv, dense, head, image, stem, v1, variable
from tf1_rare import RARE

from attn_core.porting import whole_network
from attn_core.porting.network.inference import Options
from attn_core.porting.network.steps.observed import SIZES
from attn_core.porting.proof import prove


def channel_attention(x: Any, second: str = "mlp") -> Any:
    with v1.variable_scope("channels"):
        pools = [tf.reduce_mean(x, [1, 2], keepdims=True), tf.reduce_max(x, [1, 2], keepdims=True)]
        gates = [
            dense(tf.nn.relu(dense(each, f"{name}_0", 2)), f"{name}_1", x.shape[3])
            for each, name in zip(pools, ("mlp", second), strict=True)
        ]
        return x * tf.sigmoid(gates[0] + gates[1])


def spatial_attention(x: Any, swapped: bool = False) -> Any:
    with v1.variable_scope("pixels"):
        planes = [tf.reduce_mean(x, 3, keepdims=True), tf.reduce_max(x, 3, keepdims=True)]
        y = tf.concat(planes[::-1] if swapped else planes, 3)
        return x * tf.sigmoid(tf.nn.conv2d(y, variable("conv/kernel", 7, 7, 2, 1), 1, "SAME"))


def cbam() -> Any:
    y = stem(image())
    for unit in range(3):
        with v1.variable_scope(f"unit_{unit}"):
            z = tf.nn.relu(conv(y, "conv", 8))
            with v1.variable_scope("cbam"):
                y = y + spatial_attention(channel_attention(z))
    return head(y)


def channels_alone() -> Any:
    return head(channel_attention(stem(image())))


def pixels_alone() -> Any:
    return head(spatial_attention(stem(image()), swapped=True))


def two_perceptrons() -> Any:
    return head(channel_attention(stem(image()), second="other"))


def shuffles() -> Any:
    y = stem(image())
    for unit in range(2):
        with v1.variable_scope(f"unit_{unit}"):
            left, right = tf.split(y, 2, axis=3)
            y = tf.concat([left, tf.nn.relu(conv(right, "conv", 4))], 3)
            size = tf.shape(y)
            parts = tf.reshape(y, tf.stack([size[0], size[1], size[2], 2, 4]))
            y = tf.reshape(tf.transpose(parts, [0, 1, 2, 4, 3]), tf.stack([size[0], size[1], size[2], 8]))
    return head(y)


def groups() -> Any:
    y = stem(image())
    parts = [conv(y[:, :, :, start : start + 4], f"group_{start}", 2) for start in (0, 4)]
    return head(tf.nn.relu(tf.concat(parts, 3)))


def functions() -> Any:
    y = tf.nn.local_response_normalization(stem(image()), 2, bias=1.5, alpha=0.3, beta=0.75)
    y = tf.nn.softsign(conv(y, "softsign", 4)) + tf.math.log1p(tf.exp(conv(y, "log1p", 4)))
    y = tf.sin(y) + tf.cos(y) * tf.math.expm1(-tf.square(y)) + tf.math.reciprocal(2.0 + tf.abs(y))
    return tf.nn.log_softmax(head(y))


def vectors() -> Any:
    x = v1.placeholder(tf.float32, [None, 120], name="input")
    return head(stem(tf.reshape(x, [-1, 12, 10, 1])))


def integers() -> Any:
    x = v1.placeholder(tf.uint8, [None, 12, 10, 3], name="input")
    return head(stem((tf.cast(x, tf.float32) / 255.0 - 0.5) * 2.0))


def separable() -> Any:
    y = stem(image())
    for unit in range(2):
        with v1.variable_scope(f"separable_{unit}"):
            kernels = variable("depthwise_kernel", 3, 3, 8, 1), variable("pointwise_kernel", 1, 1, 8, 8)
            y = tf.nn.separable_conv2d(y, *kernels, [1, 1, 1, 1], "SAME")
            y = tf.nn.relu(tf.nn.bias_add(y, variable("bias", 8)))
    return head(y)


def channels_first() -> Any:
    x = v1.placeholder(tf.float32, [None, 3, 12, 10], name="input")
    y = tf.nn.conv2d(x, variable("conv/kernel", 3, 3, 3, 4), 1, "SAME", data_format="NCHW")
    with v1.variable_scope("norm"):
        stored = [variable(name, 4, low=0.5, high=1.5) for name in ("moving_mean", "moving_variance", "beta", "gamma")]
        y = tf.nn.relu(tf.nn.batch_normalization(y, *(tf.reshape(each, [1, 4, 1, 1]) for each in stored), 1e-3))
    return tf.reduce_mean(y, [2, 3])


def softmax_of_pixels() -> Any:
    y = tf.reduce_mean(conv(stem(image()), "classes", 3), [1, 2], keepdims=True)
    y = tf.reshape(tf.nn.softmax(tf.reshape(y, [-1, 3])), tf.shape(y))
    return tf.squeeze(y, [1, 2])


def resized() -> Any:
    """All conventions on where pixels lie; to a stated size, by a factor, to the size of another image."""
    x = v1.placeholder(tf.float32, [None, None, None, 3], name="input")
    small = stem(x)
    half = tf.nn.relu(conv(small, "half", 4, stride=2))
    size, own = tf.shape(small)[1:3], tf.shape(half)[1:3]
    ways = {"plain": {}, "corners": {"align_corners": True}, "centers": {"half_pixel_centers": True}}
    y = small[:, :, :, :4]
    for options in ways.values():
        for resize in (tf.raw_ops.ResizeBilinear, tf.raw_ops.ResizeNearestNeighbor):
            y = y + resize(images=half, size=size, **options)
    tall = [tf.raw_ops.ResizeBilinear(images=half, size=[7, 9], **options) for options in ways.values()]
    twice = [tf.raw_ops.ResizeNearestNeighbor(images=half, size=2 * own, **options) for options in ways.values()]
    return head(y) + sum(head_of(each, f"tall_{k}") for k, each in enumerate([*tall, *twice]))


def head_of(x: Any, name: str) -> Any:
    with v1.variable_scope(name):
        return head(x)


def transposed() -> Any:
    """Kernels that are as long as the stride, longer by one, by two; with SAME, and with none; crops of the middle."""
    x = v1.placeholder(tf.float32, [None, None, None, 3], name="input")
    y = stem(x)
    for k, padding in itertools.product((2, 3, 4), ("SAME", "VALID")):
        with v1.variable_scope(f"up_{k}_{padding}"):
            count, height, width, _ = tf.unstack(tf.shape(y))
            more = 0 if padding == "SAME" else k - 2
            z = tf.nn.conv2d_transpose(
                conv(y, "down", 6),
                variable("kernel", k, k, 4, 6),
                [count, 2 * height + more, 2 * width + more, 4],
                2,
                padding,
            )
            z = tf.nn.relu(tf.nn.bias_add(z, variable("bias", 4)))
            large = tf.shape(z)
            middle = [0, (large[1] - height) // 2, (large[2] - width) // 2, 0]
            z = tf.slice(z, middle, [-1, height, width, -1])
            z.set_shape([None, None, None, 4])
            y = tf.concat([y, z], 3)
    return head(y)


def moments_of_groups(y: Any, axes: list[int]) -> Any:
    """Return the groups' means and variances, which stay against the groups."""
    return tf.nn.moments(y, axes, keepdims=True)


def group_norms() -> Any:
    """Of channels last and first; by a quotient, by the inverse deviation, by `tf.nn.batch_normalization`."""
    x = v1.placeholder(tf.float32, [None, None, None, 3], name="input")
    y = stem(x)
    size = tf.shape(y)
    parts = tf.reshape(y, [size[0], size[1], size[2], 4, 2])
    mean, variance = moments_of_groups(parts, [1, 2, 4])
    y = tf.reshape((parts - mean) / tf.sqrt(variance + 1e-3), size) * variable("gamma", 8) + variable("beta", 8)
    y = conv(y, "second", 6)
    parts = tf.reshape(tf.transpose(y, [0, 3, 1, 2]), [size[0], 2, 3, size[1], size[2]])
    mean, variance = moments_of_groups(parts, [2, 3, 4])
    centred = (parts - mean) * tf.math.rsqrt(variance + 1e-5)
    y = tf.transpose(tf.reshape(centred, [size[0], 6, size[1], size[2]]), [0, 2, 3, 1])
    y = conv(tf.nn.relu(y), "third", 4)
    parts = tf.reshape(y, [size[0], size[1], size[2], 2, 2])
    normal = tf.nn.batch_normalization(parts, *moments_of_groups(parts, [1, 2, 4]), None, None, 1e-3)
    return head(tf.reshape(normal, tf.shape(y)) * tf.sigmoid(y))


def groups_of_rows() -> Any:
    """No group norm, for its moments are those of each row."""
    y = stem(image())
    parts = tf.reshape(y, [-1, 12, 10, 4, 2])
    mean, variance = moments_of_groups(parts, [2, 4])
    return head(tf.reshape((parts - mean) / tf.sqrt(variance + 1e-3), [-1, 12, 10, 8]))


def awkward_names() -> Any:
    """Scopes that are names of Python, of modules, of what the source imports, or of its arguments."""
    y = image()
    names = ["train", "forward", "T_destination", "call", "class", "project", "channels", "path", "Tensor", "None"]
    for name in names:
        with v1.variable_scope(name):
            y = y + tf.nn.relu(conv(tf.nn.relu(conv(y, "self", 3)), "loss", 3))
    for unit in range(3):
        with v1.variable_scope(f"True_{unit}"):
            z = conv(y, "project", 4, stride=1 + unit % 2) if unit != 2 else y
            y = tf.nn.relu(z + conv(conv(y, "channels", 4, stride=1 + unit % 2), "stride", 4))
    return head(y)


def normal(y: Any, name: str) -> Any:
    """Batch norm outside of training, by the products and sums of `tf.layers`."""
    with v1.variable_scope(name):
        names = ("moving_mean", "moving_variance", "beta", "gamma")
        stored = [variable(each, y.shape[-1], low=0.5, high=1.5) for each in names]
        return tf.nn.batch_normalization(y, *stored, 1e-3)


def squeezed(y: Any) -> Any:
    """Squeeze and excite over all places but the channels."""
    space = list(range(1, y.shape.rank - 1))
    with v1.variable_scope("se"):
        gate = tf.sigmoid(dense(tf.nn.relu(dense(tf.reduce_mean(y, space), "reduce", 2)), "expand", y.shape[-1]))
    return y * tf.reshape(gate, [-1, *[1] * len(space), y.shape[-1]])


def signals() -> Any:
    """Convolutions of signals, which TensorFlow makes images of, and all that stands between them."""
    x = v1.placeholder(tf.float32, [None, None, 3], name="input")
    y = tf.nn.conv1d(tf.pad(x, [[0, 0], [2, 1], [0, 0]]), variable("stem", 4, 3, 8), 1, "VALID")
    y = tf.nn.relu(normal(y, "norm"))
    small = tf.nn.max_pool1d(y, 3, 2, "SAME")
    small = tf.nn.bias_add(tf.nn.conv1d(small, variable("down", 5, 8, 6), 2, "SAME"), variable("bias", 6))
    small = squeezed(tf.nn.relu(small))
    small = small * tf.sigmoid(dense(small, "places", 6))
    left, right = tf.split(small, 2, axis=2)
    small = tf.concat([tf.nn.avg_pool1d(left, 2, 1, "SAME"), right * variable("scale", 3)], 2)
    size = tf.shape(y)
    large = tf.nn.conv1d_transpose(small, variable("up", 4, 8, 6), [size[0], 4 * tf.shape(small)[1], 8], 4, "SAME")
    return head_of_signal(large) + head_of_signal(y[:, ::2])


def head_of_signal(y: Any) -> Any:
    with v1.variable_scope("logits_of_signal", reuse=v1.AUTO_REUSE):
        return tf.matmul(tf.reduce_mean(y, 1), variable("kernel", y.shape[2], 3)) + variable("bias", 3)


def signals_of_channels_first() -> Any:
    """Flatten in the layout of PyTorch, which a program has for a GPU."""
    x = v1.placeholder(tf.float32, [None, 20, 3], name="input")
    y = tf.transpose(tf.nn.conv1d(x, variable("stem", 3, 3, 4), 2, "SAME"), [0, 2, 1])
    y = tf.reshape(tf.nn.relu(y), [-1, 40])
    return tf.matmul(y, variable("kernel", 40, 3))


def dilated(y: Any, kernel: Any, convolve: Callable[[Any, Any], Any], rate: int = 2) -> Any:
    """Convolve with dilation and SAME padding as TensorFlow 1 does, on smaller images of pixels that lie apart."""
    reach = [rate * (int(length) - 1) for length in kernel.shape[:-2]]
    sides = [[n // 2, n - n // 2] for n in reach]
    block = [rate] * len(reach)
    paddings, crops = tf.compat.v1.required_space_to_batch_paddings(tf.shape(y)[1:-1], block, sides)
    return tf.batch_to_space(convolve(tf.space_to_batch(y, block, paddings), kernel), block, crops)


def dilated_signals() -> Any:
    x = v1.placeholder(tf.float32, [None, None, 3], name="input")
    y = dilated(x, variable("first", 3, 3, 4), lambda y, kernel: tf.nn.conv1d(y, kernel, 1, "VALID"))
    return head_of_signal(tf.nn.relu(tf.nn.bias_add(y, variable("of_first", 4))))


def dilated_volumes() -> Any:
    x = v1.placeholder(tf.float32, [None, None, None, None, 2], name="input")
    y = dilated(x, variable("first", 3, 3, 3, 2, 4), lambda y, kernel: tf.nn.conv3d(y, kernel, [1] * 5, "VALID"))
    return head_of_volume(tf.nn.relu(y), "head")


def rows() -> Any:
    """Signals that are made images of one row once, at the start, and signals again behind all layers."""
    x = v1.placeholder(tf.float32, [None, 24, 3], name="input")
    y = tf.expand_dims(x, 1)
    for k in range(2):
        with v1.variable_scope(f"layer_{k}"):
            y = tf.nn.conv2d(y, variable("kernel", 1, 3, y.shape[3], 4), [1, 1, 2, 1], "SAME")
            y = tf.nn.relu(normal(y, "norm"))
    y = tf.nn.max_pool2d(y, [1, 2], [1, 2], "SAME")
    large = tf.raw_ops.ResizeNearestNeighbor(images=y, size=[1, 12])
    return head(y) + head_of_signal(tf.squeeze(large, 1) * variable("scale", 4))


def grey() -> Any:
    """Images without an axis for their one channel."""
    x = v1.placeholder(tf.float32, [None, 12, 10], name="input")
    return head(stem(tf.expand_dims(x / 255.0, -1)))


def volumes() -> Any:
    """Convolutions, pools, norms and gates of volumes, and the way back up of a U-Net."""
    x = v1.placeholder(tf.float32, [None, None, None, None, 2], name="input")
    y = tf.nn.conv3d(x, variable("stem", 3, 3, 3, 2, 4), [1] * 5, "SAME")
    y = tf.nn.relu(tf.nn.bias_add(y, variable("bias", 4)))
    small = tf.nn.max_pool3d(y, [1, 1, 2, 2, 1], [1, 1, 2, 2, 1], "SAME")
    small = normal(tf.nn.conv3d(small, variable("down", 3, 3, 2, 4, 6), [1, 2, 1, 1, 1], "SAME"), "norm")
    small = squeezed(tf.nn.relu(small))
    size, own = tf.shape(y), tf.shape(small)
    target = [size[0], 2 * own[1], 2 * own[2], 2 * own[3], 4]
    up = tf.nn.conv3d_transpose(small, variable("up", 2, 3, 2, 4, 6), target, [1, 2, 2, 2, 1], "SAME")
    means = tf.nn.avg_pool3d(y, [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "SAME")
    return head_of_volume(tf.concat([up, tf.nn.relu(up)], 4), "of_up") + head_of_volume(means, "of_means")


def head_of_volume(y: Any, name: str) -> Any:
    with v1.variable_scope(name):
        return tf.matmul(tf.reduce_mean(y, [1, 2, 3]), variable("kernel", y.shape[4], 3)) + variable("bias", 3)


def flattened_volumes() -> Any:
    """Put into another order before they are flattened, as C3D is to fit the weights of an older framework."""
    x = v1.placeholder(tf.float32, [None, 4, 6, 6, 2], name="input")
    y = tf.nn.relu(tf.nn.conv3d(x, variable("stem", 3, 3, 3, 2, 4), [1, 1, 2, 2, 1], "VALID"))
    return tf.matmul(tf.reshape(tf.transpose(y, [0, 1, 4, 2, 3]), [-1, 32]), variable("kernel", 32, 3))


def saturated() -> Any:
    return tf.nn.softmax(1e6 * head(stem(image())))


FORMS: dict[str, Callable[[], Any]] = {
    each.__name__: each
    for each in (
        cbam, channels_alone, pixels_alone, two_perceptrons, shuffles, groups, functions, vectors, integers, separable,
        channels_first, softmax_of_pixels, awkward_names, group_norms, groups_of_rows, saturated, resized, transposed,
        signals, signals_of_channels_first, dilated_signals, dilated_volumes, rows, grey, volumes, flattened_volumes,
        *DETECTORS, *RARE,
    )
}  # fmt: skip


def save(form: str, folder: Path) -> dict[str, np.ndarray]:
    """Save a network as TensorFlow 1 does, and return an image and the result, if it can be run here."""
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        made = FORMS[form]()
        output = {"output": made} if not isinstance(made, dict) else made
        output = {key: tf.identity(each, name=key) for key, each in output.items()}
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(folder / "model.ckpt"))
        fed = graph.get_tensor_by_name("input:0")
        shape = [2, *(size or 12 - place for place, size in enumerate(fed.shape[1:]))]
        whole = RNG.integers(0, 256, shape) if fed.dtype == tf.uint8 else RNG.normal(size=shape)
        if form == "channels_first":
            return {}
        return {"input": whole.astype(np.float32), **session.run(output, {fed: whole})}


def keras_checks(folder: Path, recorded: dict[str, np.ndarray]) -> list[tuple[str, float]]:
    """Port to Keras, and return what was compared and the errors."""
    port = whole_network.read(folder / "model.ckpt", "keras", Options())
    whole_network.write(port, folder / "keras", lambda inside: prove(port, inside, recorded, False))
    return [(check.what, check.relative) for check in port.checks]


def operations(form: str) -> set[str]:
    """Return the operations through which a network's pixels go; what asks for their sizes is none."""
    with tf.Graph().as_default() as graph:
        FORMS[form]()
        found = {graph.get_operation_by_name("input")}
        for operation in graph.get_operations():
            if operation.type not in SIZES and any(each.op in found for each in operation.inputs):
                found.add(operation)
        return {operation.type for operation in found}
