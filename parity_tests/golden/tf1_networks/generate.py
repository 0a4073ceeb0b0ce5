"""Record small networks as TensorFlow 1 writes them: slim's residual networks, separable convolutions, inception, ...

Run with TensorFlow 1.15 (Python 3.7):   python generate.py [OUTPUT_FOLDER [CASE ...]]
(the default output folder is the folder of this file).

Each case has its checkpoint with the whole `.meta`, a frozen graph, and `io.npz`: `input`, `output`, `cotangent`,
`grad:input`, and where the network takes other sizes `input_odd`, `output_odd`.  All numbers come from fixed seeds and
one thread.  Weights are drawn so that no bias, average or scale has a value that would hide an error.
"""
import os
import shutil
import sys
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
warnings.filterwarnings("ignore")

import numpy as np
import tensorflow as tf
from tensorflow.contrib import slim
from tensorflow.contrib.slim.python.slim.nets import resnet_utils, resnet_v1, resnet_v2
from tensorflow.python.framework import graph_util

tf.logging.set_verbosity(tf.logging.ERROR)

TRAIN = []  # what is run a few times before the weights are saved


def placeholders(height=None, width=None, channels=3):
    x = tf.placeholder(tf.float32, [None, height, width, channels], name="input")
    return x, tf.placeholder_with_default(False, [], name="is_training")


def train(loss, optimizer, training):
    """Make the graph a training graph: optimizer, regularisation, summaries, moving averages of batch norms."""
    total = loss + tf.add_n(tf.losses.get_regularization_losses() or [tf.constant(0.0)])
    tf.summary.scalar("loss", total)
    step = tf.train.get_or_create_global_step()
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        TRAIN.append((optimizer.minimize(total, step), training))


# ---------------------------------------------------------------- networks
def slim_resnet_v1():
    """slim's own resnet_v1 with bottlenecks: explicit padding, subsampling by pooling, batch norm with decay 0.997."""
    x, training = placeholders()
    labels = tf.placeholder(tf.int64, [None], name="labels")
    blocks = [resnet_v1.resnet_v1_block("block1", base_depth=2, num_units=3, stride=2),
              resnet_v1.resnet_v1_block("block2", base_depth=3, num_units=2, stride=1)]
    with slim.arg_scope(resnet_utils.resnet_arg_scope()):
        net, _ = resnet_v1.resnet_v1(x, blocks, 5, is_training=training, global_pool=True)
    net = tf.squeeze(net, [1, 2], name="logits")
    loss = tf.losses.sparse_softmax_cross_entropy(labels, net)
    train(loss, tf.train.MomentumOptimizer(0.01, 0.9), {training: True, labels: [1, 2]})
    return (33, 33), x, net


def slim_resnet_v2():
    """slim's resnet_v2: batch norm and relu before the convolutions."""
    x, training = placeholders()
    blocks = [resnet_v2.resnet_v2_block("block1", base_depth=2, num_units=2, stride=2),
              resnet_v2.resnet_v2_block("block2", base_depth=3, num_units=3, stride=1)]
    with slim.arg_scope(resnet_utils.resnet_arg_scope()):
        net, points = resnet_v2.resnet_v2(x, blocks, 5, is_training=training, global_pool=True)
    return (32, 40), x, points["predictions"]


def separable():
    """As MobileNet: depthwise and pointwise convolutions, relu6, unfused batch norm, dropout by a placeholder."""
    x, training = placeholders()
    keep = tf.placeholder(tf.float32, [], name="keep_prob")
    norm = dict(is_training=training, fused=False, decay=0.95, scale=True)
    with slim.arg_scope([slim.conv2d, slim.separable_conv2d], activation_fn=tf.nn.relu6,
                        normalizer_fn=slim.batch_norm, normalizer_params=norm):
        net = slim.conv2d(x, 8, [3, 3], stride=2, scope="Conv2d_0")
        for i, (channels, stride) in enumerate([(8, 1), (12, 2), (12, 1), (16, 1)], 1):
            net = slim.separable_conv2d(net, None, [3, 3], depth_multiplier=1, stride=stride,
                                        scope="Conv2d_%d_depthwise" % i)
            net = slim.conv2d(net, channels, [1, 1], scope="Conv2d_%d_pointwise" % i)
    net = tf.reduce_mean(net, [1, 2], keepdims=True, name="global_pool")
    net = tf.nn.dropout(net, keep_prob=keep)
    net = slim.conv2d(net, 6, [1, 1], activation_fn=None, normalizer_fn=None, scope="Logits")
    return (32, 24), x, tf.nn.softmax(tf.squeeze(net, [1, 2], name="SpatialSqueeze"), name="Predictions")


def inception():
    """Branches put beside each other, pooling with a border, batch norm without gamma."""
    x, training = placeholders()
    with slim.arg_scope([slim.conv2d], normalizer_fn=slim.batch_norm, normalizer_params=dict(is_training=training)):
        net = slim.conv2d(x, 8, [3, 3], stride=2, padding="VALID", scope="Conv2d_1a")
        net = slim.max_pool2d(net, [3, 3], stride=2, padding="SAME", scope="MaxPool_1b")
        for name in ("Mixed_2a", "Mixed_2b"):
            with tf.variable_scope(name):
                with tf.variable_scope("Branch_0"):
                    first = slim.conv2d(net, 4, [1, 1], scope="Conv2d_0a_1x1")
                with tf.variable_scope("Branch_1"):
                    second = slim.conv2d(net, 3, [1, 1], scope="Conv2d_0a_1x1")
                    second = slim.conv2d(second, 4, [1, 3], scope="Conv2d_0b_1x3")
                    second = slim.conv2d(second, 4, [3, 1], scope="Conv2d_0c_3x1")
                with tf.variable_scope("Branch_2"):
                    third = slim.avg_pool2d(net, [3, 3], stride=1, padding="SAME", scope="AvgPool_0a_3x3")
                    third = slim.conv2d(third, 4, [1, 1], scope="Conv2d_0b_1x1")
                net = tf.concat([first, second, third], 3)
        net = slim.avg_pool2d(net, [2, 2], stride=2, padding="SAME", scope="AvgPool_3a")
    net = slim.dropout(tf.reduce_mean(net, [1, 2]), 0.8, is_training=training)
    return (30, 26), x, slim.fully_connected(net, 7, activation_fn=None, scope="Logits")


def two_towers():
    """As AlexNet: groups written as split and concatenation, an image flattened to a dense layer, local pooling."""
    x, training = placeholders(24, 20)
    net = tf.nn.relu(tf.layers.conv2d(x - tf.constant([0.5, 0.4, 0.3]), 8, 5, strides=2, name="conv1"))
    net = tf.layers.max_pooling2d(net, 3, 2)
    with tf.variable_scope("conv2"):
        kernel = tf.get_variable("weights", [3, 3, 4, 12])
        bias = tf.get_variable("biases", [12])
        images, kernels = tf.split(net, 2, axis=3), tf.split(kernel, 2, axis=3)
        towers = [tf.nn.conv2d(i, k, [1, 1, 1, 1], "SAME") for i, k in zip(images, kernels)]
        net = tf.nn.relu(tf.nn.bias_add(tf.concat(towers, axis=3), bias))
    net = tf.layers.dropout(tf.layers.flatten(net), 0.5, training=training)
    net = tf.layers.dense(net, 9, activation=tf.nn.tanh, name="fc6")
    return None, x, tf.layers.dense(net, 4, name="fc7")


def activations():
    """Dilated convolutions and every activation, arithmetic with weights and numbers, cutting and mirroring."""
    x, _ = placeholders(channels=4)
    scale = tf.get_variable("scale", [4])
    net = (x / 2.0 - 0.25) * scale
    net = tf.nn.elu(tf.layers.conv2d(net, 6, 3, dilation_rate=2, padding="same"))
    net = tf.nn.leaky_relu(tf.layers.conv2d(net, 6, 3, dilation_rate=(2, 3)), 0.1)
    net = tf.pad(net, [[0, 0], [1, 1], [2, 1], [0, 0]], "REFLECT")
    net = tf.nn.selu(tf.layers.conv2d(net, 6, (3, 2), strides=(2, 1)))
    net = tf.maximum(net, 0.1 * net) + tf.nn.softplus(net) * tf.square(tf.sigmoid(net))
    net = tf.concat([net[:, :, :, :2], tf.abs(net[:, :, :, 2:]), tf.minimum(net, 1.5)], -1)
    net = tf.nn.swish(net[:, ::2, 1:, :])
    net = tf.layers.average_pooling2d(net, 2, 2)
    weights = tf.nn.softmax(tf.layers.conv2d(net, 12, 1), axis=-1) + tf.exp(-tf.reduce_max(net, 3, keepdims=True))
    return (29, 34), x, tf.reduce_sum(net * weights, [1, 2]) - tf.reduce_min(net, [1, 2])


def se_resnet():
    """Residual blocks with squeeze-and-excitation in scopes of their own, moving averages of the weights."""
    x, training = placeholders()
    labels = tf.placeholder(tf.float32, [None, 5], name="labels")
    decay = tf.contrib.layers.l2_regularizer(1e-3)

    def norm(net):
        return tf.layers.batch_normalization(net, momentum=0.9, epsilon=1e-5, training=training, name="bn")

    def conv(net, name, channels, kernel, stride=1):
        with tf.variable_scope(name):
            return norm(tf.layers.conv2d(net, channels, kernel, stride, "same", use_bias=False, name="conv",
                                         kernel_regularizer=decay))

    def block(net, name, channels, stride):
        with tf.variable_scope(name):
            shortcut = net
            if stride > 1 or net.shape[-1] != channels:
                shortcut = conv(net, "shortcut", channels, 1, stride)
            net = tf.nn.relu(conv(net, "first", channels, 3, stride))
            net = conv(net, "second", channels, 3)
            with tf.variable_scope("se"):
                gate = tf.reduce_mean(net, [1, 2])
                gate = tf.layers.dense(gate, 3, tf.nn.relu, name="fc1")
                gate = tf.layers.dense(gate, channels, tf.nn.sigmoid, name="fc2")
                net = net * tf.reshape(gate, [-1, 1, 1, channels])
            return tf.nn.relu(net + shortcut)

    net = tf.nn.relu(conv(x, "stem", 6, 7, 2))
    net = tf.layers.max_pooling2d(net, 3, 2, "same")
    for stage, (channels, count) in enumerate([(6, 2), (10, 3)], 1):
        for unit in range(1, count + 1):
            net = block(net, "stage%d/block%d" % (stage, unit), channels, 2 if unit == 1 and stage > 1 else 1)
    logits = tf.layers.dense(tf.reduce_mean(net, [1, 2]), 5, name="logits")
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits))
    train(loss, tf.train.AdamOptimizer(1e-3), {training: True, labels: np.eye(5, dtype=np.float32)[:2]})
    average = tf.train.ExponentialMovingAverage(0.5)
    with tf.control_dependencies([TRAIN[-1][0]]):
        TRAIN[-1] = (average.apply(tf.trainable_variables()), TRAIN[-1][1])
    return (32, 32), x, logits


def channels_first():
    """A network of the GPU: images are transposed once, everything else is channels-first. The CPU cannot run it."""
    x, training = placeholders()
    net = tf.transpose(x, [0, 3, 1, 2])
    options = dict(data_format="channels_first", padding="same")
    for i, channels in enumerate([6, 8]):
        net = tf.layers.conv2d(net, channels, 3, 2 - i, use_bias=bool(i), **options)
        net = tf.nn.relu(tf.layers.batch_normalization(net, axis=1, training=training))
    net = tf.layers.max_pooling2d(net, 3, 2, **options)
    gate = tf.layers.dense(tf.reduce_mean(net, [2, 3]), 3, tf.nn.relu)
    gate = tf.layers.dense(gate, 8, tf.nn.sigmoid)
    net = net * tf.reshape(gate, [-1, 8, 1, 1])
    return "graph", x, tf.layers.dense(tf.layers.flatten(tf.reduce_mean(net, [2, 3], keepdims=True)), 4)


CASES = {f.__name__: f for f in (slim_resnet_v1, slim_resnet_v2, separable, inception, two_towers, activations,
                                 se_resnet, channels_first)}


# ---------------------------------------------------------------- recording
def session():
    config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1,
                            device_count={"CPU": 1, "GPU": 0})
    return tf.Session(config=config)


def record(root, name):
    folder = os.path.join(root, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    tf.reset_default_graph()
    tf.set_random_seed(0)
    del TRAIN[:]
    odd, x, output = CASES[name]()
    output = tf.identity(output, name="output")
    pull = tf.placeholder(tf.float32, output.shape, name="cotangent")
    slope = tf.gradients(output, x, pull)[0] if odd != "graph" else None
    rng = np.random.RandomState(0)
    with session() as sess:
        sess.run(tf.global_variables_initializer())
        for v in sorted(tf.global_variables(), key=lambda v: v.name):
            draw(v, rng, sess)
        height, width = x.shape.as_list()[1:3]
        image = picture(rng, height or 26, width or 22, x.shape.as_list()[3])
        if odd != "graph":
            for step, feeds in TRAIN:
                for _ in range(3):
                    sess.run(step, dict(list(feeds.items()) + [(x, image)]))
        feeds = {p: 1.0 for p in keep_probabilities()}
        got = {"input": image}
        if odd != "graph":
            got["output"] = sess.run(output, dict(list(feeds.items()) + [(x, image)]))
            got["cotangent"] = rng.normal(size=got["output"].shape).astype(np.float32)
            given = dict(list(feeds.items()) + [(x, image), (pull, got["cotangent"])])
            got["grad:input"] = sess.run(slope, given)
            if odd:
                got["input_odd"] = picture(rng, odd[0], odd[1], x.shape.as_list()[3])
                got["output_odd"] = sess.run(output, dict(list(feeds.items()) + [(x, got["input_odd"])]))
        save(sess, folder, got)
    print(name, {k: v.shape for k, v in got.items()})


def keep_probabilities():
    return [op.outputs[0] for op in tf.get_default_graph().get_operations()
            if op.type == "Placeholder" and "keep" in op.name]


def picture(rng, height, width, channels):
    return (rng.normal(size=(2, height, width, channels)) + rng.normal(size=(2, 1, 1, channels))).astype(np.float32)


def draw(variable, rng, sess):
    shape, name = variable.shape.as_list(), variable.op.name
    if variable.dtype.base_dtype != tf.float32 or not shape:
        return
    if name.endswith("moving_variance"):
        value = rng.uniform(0.5, 1.5, shape)
    elif name.endswith(("gamma", "scale")):
        value = rng.normal(1.0, 0.2, shape)
    elif name == "resnet_v2/logits/weights":
        value = rng.normal(0.0, 0.1, shape)  # a softmax that is not all zeros and ones
    elif len(shape) == 1 and "/Adam" not in name and "/Momentum" not in name and "Average" not in name:
        value = rng.normal(0.0, 0.3, shape)
    else:
        return
    variable.load(value.astype(np.float32), sess)


def save(sess, folder, got):
    here = os.getcwd()
    os.chdir(folder)  # relative paths only: no path of a machine is stored
    try:
        tf.train.Saver(save_relative_paths=True).save(sess, "model.ckpt", strip_default_attrs=True)
        frozen = graph_util.convert_variables_to_constants(sess, tf.get_default_graph().as_graph_def(), ["output"])
        with open("frozen.pb", "wb") as f:
            f.write(frozen.SerializeToString(deterministic=True))
        np.savez_compressed("io.npz", **got)
        os.remove("checkpoint")
    finally:
        os.chdir(here)


if __name__ == "__main__":
    output_folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for case in sys.argv[2:] or CASES:
        record(output_folder, case)
