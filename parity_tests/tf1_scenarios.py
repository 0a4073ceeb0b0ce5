"""Graphs of TensorFlow 1 that name, share and collect variables in all ways: built by TensorFlow 1.15 and by ours.

Each scenario is a function of `tf`, the interface of TensorFlow 1, and `net`, which has `se_block`, `res_block2`,
`conv_layer` and `norm_layer`. This file runs on Python 3.7, where golden/tf1_graphs/record.py records them.
"""

import numpy as np


def image(tf, channels=16):
    return tf.placeholder(tf.float32, [None, None, None, channels])


def plain(tf, net):
    net.se_block(image(tf), 2)


def twice(tf, net):
    net.se_block(net.se_block(image(tf), 2), 4)


def scopes(tf, net):
    """Count from the start in every scope."""
    x = image(tf)
    for name in ("block_1", "block_2"):
        with tf.variable_scope(name):
            x = net.se_block(net.conv_layer(x, 16, 3), 2)
    net.se_block(net.conv_layer(x, 4, 1), 2)


def nested_scopes(tf, net):
    with tf.variable_scope("net"):
        x = net.se_block(image(tf), 2)
        with tf.variable_scope("stage"):
            x = net.se_block(x, 2)
        net.se_block(x, 2)


def name_scope(tf, net):
    """Give operations a scope that variables do not have."""
    with tf.name_scope("summaries"):
        net.se_block(image(tf), 2)


def twin_towers(tf, net):
    for reuse in (False, True):
        with tf.variable_scope("tower", reuse=reuse):
            net.se_block(image(tf), 2)


def twin_towers_by_object(tf, net):
    with tf.variable_scope("tower") as scope:
        net.se_block(image(tf), 2)
        scope.reuse_variables()
        net.se_block(image(tf), 2)
    with tf.variable_scope(scope, reuse=True):
        net.se_block(image(tf), 2)


def auto_reuse(tf, net):
    for _ in range(3):
        with tf.variable_scope("tower", reuse=tf.AUTO_REUSE):
            net.se_block(image(tf), 2)


def auto_reuse_of_the_root(tf, net):
    for _ in range(2):
        with tf.variable_scope(tf.get_variable_scope(), reuse=tf.AUTO_REUSE):
            net.se_block(image(tf), 2)


def scope_entered_again(tf, net):
    """Ask for what a scope without reuse has already."""
    for _ in range(2):
        with tf.variable_scope("tower"):
            net.se_block(image(tf), 2)


def reuse_of_nothing(tf, net):
    with tf.variable_scope("tower", reuse=True):
        net.se_block(image(tf), 2)


def reuse_of_another_shape(tf, net):
    for channels in (16, 8):
        with tf.variable_scope("tower", reuse=tf.AUTO_REUSE):
            net.se_block(image(tf, channels), 2)


def no_auxiliary_name_scope(tf, net):
    with tf.variable_scope("tower") as scope:
        net.se_block(image(tf), 2)
    with tf.variable_scope(scope, reuse=True, auxiliary_name_scope=False):
        net.se_block(image(tf), 2)
    with tf.variable_scope(scope, auxiliary_name_scope=False), tf.variable_scope("inside"):
        net.se_block(image(tf), 2)


def default_named_scope(tf, net):
    for _ in range(2):
        with tf.variable_scope(None, default_name="block"):
            net.se_block(image(tf), 2)


def template(tf, net):
    block = tf.make_template("shared", lambda x: net.se_block(x, 2))
    block(image(tf))
    block(image(tf))


def regularizer(tf, net):
    def half_square(v):
        return tf.reduce_sum(v * v) / 2

    for reuse in (False, True):
        with tf.variable_scope("tower", regularizer=half_square, reuse=reuse):
            net.res_block2(image(tf), [16, 16], True, True, True)


def initializer(tf, net):
    with tf.variable_scope("tower", initializer=tf.constant_initializer(3.0)):
        net.res_block2(image(tf), [16, 16], True, True, True)


def partitioner(tf, net):
    with tf.variable_scope("tower", partitioner=tf.fixed_size_partitioner(2)):
        net.res_block2(image(tf), [16, 16], True, True, True)


def custom_getter(tf, net):
    """Of a getter, see the names that it is asked for, and what it does to them."""

    def frozen(getter, name, *args, **kwargs):
        kwargs["trainable"] = kwargs["trainable"] and not name.endswith("bias")
        return getter("renamed/" + name, *args, **kwargs)

    with tf.variable_scope("tower", custom_getter=frozen):
        net.res_block2(image(tf), [16, 16], True, True, True)


def constraint(tf, net):
    with tf.variable_scope("tower", constraint=lambda v: v):
        net.se_block(image(tf), 2)


def scope_of_another_type(tf, net):
    with tf.variable_scope("tower", dtype=tf.float64):
        net.se_block(image(tf), 2)


def half_precision(tf, net):
    net.norm_layer(net.se_block(tf.placeholder(tf.float16, [None, 4, 4, 8]), 2), True, True)


def double_precision(tf, net):
    net.se_block(net.conv_layer(tf.placeholder(tf.float64, [None, 4, 4, 8]), 8, 3), 2)


def residual_blocks(tf, net):
    x = net.res_block2(image(tf, 3), [4, 16], True, True, True, strides=2, downsample=True)
    x = net.res_block2(x, [4, 16], False, True, True)
    x = net.res_block2(x, [4, 16], True, False, True)
    net.res_block2(x, [4, 16], True, True, False)


def added_by_broadcasting(tf, net):
    net.res_block2(image(tf, 1), [4, 16], True, False, True)


def two_strides(tf, net):
    net.conv_layer(net.conv_layer(image(tf), 4, (3, 1), strides=(2, 1)), 4, 3, strides=[1, 2])


def training_as_number(tf, net):
    x = net.norm_layer(image(tf), 1, True)
    net.norm_layer(net.norm_layer(x, 0, True), tf.constant(True), True)


def training_as_placeholder(tf, net):
    net.norm_layer(image(tf), tf.placeholder_with_default(False, []), True)


def train_and_evaluate(tf, net):
    for training in (True, False):
        with tf.variable_scope("net", reuse=not training):
            net.res_block2(image(tf), [16, 16], training, True, True)


def in_a_condition(tf, net):
    x = image(tf)
    tf.cond(tf.placeholder(tf.bool, []), lambda: net.se_block(x, 2), lambda: x)


def beside_own_scopes(tf, net):
    """Variables of programs, and scopes that are called as layers are."""
    with tf.variable_scope("dense"):
        tf.get_variable("kernel", [2, 2])
    net.se_block(image(tf), 2)
    with tf.variable_scope("dense_3"):
        net.se_block(image(tf), 2)
    net.se_block(image(tf), 2)


SCENARIOS = [value for value in list(globals().values()) if hasattr(value, "__code__") and value is not image]
TYPES = ("Tensordot", "Conv2D", "BiasAdd", "Relu", "Sigmoid", "Mean", "Mul", "Add")


def described(tf, net, scenario):
    """Build a scenario in a graph of its own; say what is in it, or what was raised."""
    graph = tf.Graph()
    with graph.as_default():
        try:
            scenario(tf, net)
        except ValueError as error:
            return {"raised": str(error).split(",")[0].split(" Originally")[0]}
        trained = {v.name for v in tf.trainable_variables()}
        variables = tf.global_variables()
        names = sorted(operation.name for operation in graph.get_operations())
        return {
            "variables": [[v.op.name, v.shape.as_list(), v.dtype.base_dtype.name] for v in variables],
            "fixed": [v.op.name for v in variables if v.name not in trained],
            "slices": [v._get_save_slice_info().spec for v in variables if v._get_save_slice_info()],
            "losses": [loss.name for loss in tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)],
            "updates": [update.name for update in tf.get_collection(tf.GraphKeys.UPDATE_OPS)],
            "operations": [name for name in names if name.rsplit("/", 1)[-1].split("_")[0] in TYPES],
        }


def moved(tf, net):
    """Return what batch normalisation gives and what its averages are after two steps; `training` is a placeholder."""
    random = np.random.RandomState(0)
    found = {}
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3, 2, 2])
        training = tf.placeholder_with_default(False, [])
        y = net.norm_layer(x, training, True)
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for step in range(2):
                batch = (random.standard_normal([2, 3, 2, 2]) * 3 + 1).astype("float32")
                found[f"output_{step}"] = session.run([y, *updates], {x: batch, training: True})[0]
            found["evaluated"] = session.run([y, *updates], {x: batch})[0]
            for variable in tf.global_variables():
                found[variable.op.name] = session.run(variable)
    return {name: array.tolist() for name, array in found.items()}
