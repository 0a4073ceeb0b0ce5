"""What programs of TensorFlow 1 do with `se_block` and `res_block2`: graphs, scopes, savers and sessions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf1_scenarios
from bounds import TENSORFLOW_1
from keras_checks import caught
from runtimes import GOLDEN

import attn_core as core
import attn_tf
from attn_core.models.registry import example
from attn_tf import res_block2, se_block, tf1
from attn_tf.tf1 import conv_layer, norm_layer, relu

v1 = tf.compat.v1
RECORDED = json.loads((GOLDEN / "tf1_graphs" / "recorded.json").read_text())
SE, STACK, NET = (GOLDEN / "tf1" / name for name in ("se_block", "se_block_scoped_stack", "res_block2_net"))


# ---- what TensorFlow 1.15 made of the same calls ---------------------------------------------------------------------


def scenario(name: str) -> None:
    found = tf1_scenarios.described(v1, tf1, getattr(tf1_scenarios, name))
    wanted = RECORDED["graphs"][name]
    if name == "in_a_condition" and v1.control_flow_v2_enabled():  # whose branches are graphs of their own
        wanted = {**wanted, "operations": []}
    assert found == wanted


def moving_averages() -> None:
    for name, array in tf1_scenarios.moved(v1, tf1).items():
        assert np.abs(np.array(array) - RECORDED["moved"][name]).max() < TENSORFLOW_1["gate"], name


# ---- its checkpoints -------------------------------------------------------------------------------------------------


def se_alone() -> tuple[Any, Any]:
    x = v1.placeholder(tf.float32, [None, None, None, 64], name="input")
    return x, tf.identity(se_block(x, ratio=16), name="output")


def stack() -> tuple[Any, Any]:
    """As the recorded program has it, but for its import."""
    x = v1.placeholder(tf.float32, [None, 6, 4, 8], name="input")
    net = conv_layer(x, 32, kernel_size=3)
    with v1.variable_scope("block_1"):
        net = se_block(net, ratio=8)
    net = conv_layer(net, 64, kernel_size=2, strides=2)
    with v1.variable_scope("block_2"):
        net = se_block(net, ratio=8)
    net = conv_layer(net, 128, kernel_size=1)
    with v1.variable_scope("block_3"):
        net = se_block(net, ratio=8)
    return x, tf.identity(net, name="output")


def classifier(training: Any) -> tuple[Any, Any]:
    """As the recorded program has it, but for its import and the last layer."""
    x = v1.placeholder(tf.float32, [None, 32, 24, 3], name="input")
    net = relu(norm_layer(conv_layer(x, 16, kernel_size=3, strides=2), training, True))
    net = res_block2(net, [16, 16], training, use_bn=True, use_se_block=True)
    net = res_block2(net, [32, 32], training, use_bn=True, use_se_block=True, strides=2, downsample=True)
    net = res_block2(net, [32, 32], training, use_bn=True, use_se_block=True)
    net = res_block2(net, [40, 40], training, use_bn=True, use_se_block=True, strides=2, downsample=True)
    with v1.variable_scope(None, default_name="dense"):  # TensorFlow beside Keras 3 has no tf.layers.dense
        kernel, bias = v1.get_variable("kernel", [40, 10]), v1.get_variable("bias", [10])
    logits = tf.matmul(tf.reduce_mean(net, [1, 2]), kernel) + bias
    return x, tf.identity(logits, name="output")


BUILT: dict[str, tuple[Path, Callable[[], tuple[Any, Any]]]] = {
    "se_block": (SE / "model.ckpt", se_alone),
    "se_block_v1_format": (GOLDEN / "tf1" / "se_block_v1_format" / "model.ckpt", se_alone),
    "se_block_saved_model": (GOLDEN / "tf1" / "se_block_saved_model" / "variables" / "variables", se_alone),
    "se_block_scoped_stack": (STACK / "model.ckpt", stack),
    "res_block2_net": (NET / "model.ckpt-200", lambda: classifier(False)),
}


@contextmanager
def restored(path: Path, build: Callable[[], tuple[Any, Any]]) -> Iterator[tuple[Any, Any, Any]]:
    """Build a graph and restore all its variables."""
    with tf.Graph().as_default():
        x, y = build()
        with v1.Session() as session:
            v1.train.Saver().restore(session, str(path))
            yield session, x, y


def recording(path: Path) -> dict[str, np.ndarray]:
    folder = GOLDEN / "tf1" / path.relative_to(GOLDEN / "tf1").parts[0]
    folder = folder if (folder / "io.npz").exists() else SE
    with np.load(folder / "io.npz") as file:
        return dict(file)


def restores(name: str) -> None:
    """Output, gates and gradients are those that were recorded; gates by the names that their operations had."""
    path, build = BUILT[name]
    io = recording(path)
    with restored(path, build) as (session, x, y):
        by_name = {v.op.name: v for v in v1.trainable_variables()}
        recorded = {"input": x, **{n: by_name[n] for n in by_name if f"grad:{n}" in io}}
        gradients = tf.gradients(tf.reduce_sum(y * io["cotangent"]), list(recorded.values()))
        gates = [op.outputs[0] for op in x.graph.get_operations() if op.type == "Sigmoid"]
        found = session.run({"y": y, "gates": gates, "gradients": gradients}, {x: io["input"]})
    assert np.abs(found["y"] - io["output"]).max() < TENSORFLOW_1["output"]
    assert len(gates) == sum(key.endswith("_gate") for key in io)
    for i, gate in enumerate(found["gates"]):
        assert np.abs(gate - io[f"se{i}_gate"]).max() < TENSORFLOW_1["gate"]
    assert len(recorded) == 1 + 4 * len(gates)
    for variable, gradient in zip(recorded, found["gradients"], strict=True):
        wanted = io[f"grad:{variable}"]
        assert np.abs(gradient - wanted).max() < 1e-5 * np.abs(wanted).max(), variable


def restores_in_training_mode() -> None:
    """One graph for both modes, by a placeholder; the logits of training are those that were recorded."""
    path, _ = BUILT["res_block2_net"]
    io = recording(path)
    training = []

    def build() -> tuple[Any, Any]:
        training.append(v1.placeholder_with_default(False, [], name="training"))
        return classifier(training[0])

    with restored(path, build) as (session, x, y):
        assert np.abs(session.run(y, {x: io["input"]}) - io["output"]).max() < TENSORFLOW_1["output"]
        trained = session.run(y, {x: io["input"], training[0]: True})
    assert np.abs(trained - io["output_train_mode"]).max() < 1e-4


def exported(name: str, folder: str) -> None:
    """Restore what TensorFlow 1.15 wrote; write it as a checkpoint with its graph, and as a SavedModel."""
    path, build = BUILT[name]
    with restored(path, build) as (session, x, y):
        v1.saved_model.simple_save(session, str(Path(folder) / "saved_model"), {"input": x}, {"output": y})
        v1.train.Saver().save(session, str(Path(folder) / "model.ckpt"))


# ---- how programs train and evaluate ---------------------------------------------------------------------------------


SEED = 1  # whose one hidden unit fires


def picture() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((4, 5, 3, 16)).astype("float32") + 1


def train_and_evaluate_share_weights() -> None:
    """In one graph, a branch for training and one for evaluation that reads what the first has learnt."""
    with tf.Graph().as_default():
        v1.set_random_seed(SEED)
        x, branches = v1.placeholder(tf.float32, [None, 5, 3, 16]), []
        for training in (True, False):
            with v1.variable_scope("net", reuse=v1.AUTO_REUSE):
                branches.append(res_block2(x, [16, 16], training, True, True))
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            step = v1.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_mean(branches[0] ** 2))
        variables = v1.global_variables()
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            before, first = session.run([variables, branches[1]], {x: picture()})
            session.run(step, {x: picture()})
            after, second = session.run([variables, branches[1]], {x: picture()})
    assert len(variables) == 16
    still = [v.op.name for v, old, new in zip(variables, before, after, strict=True) if np.array_equal(old, new)]
    # What a norm takes away again has no gradient, or one of roundings.
    assert {*still} <= {"net/conv2d/bias", "net/conv2d_1/bias"}
    assert np.abs(second - first).max() > 1e-3


def a_graph_for_each_mode(folder: str) -> None:
    """Build a graph to train and one to evaluate its checkpoint by the same function, as an estimator does."""

    def model(training: bool) -> tuple[Any, Any]:
        x = v1.placeholder(tf.float32, [None, 5, 3, 16])
        return x, res_block2(x, [16, 16], training, True, True)

    file = str(Path(folder) / "model.ckpt")
    with tf.Graph().as_default(), v1.Session() as session:
        x, y = model(True)
        session.run(v1.global_variables_initializer())
        session.run([y, *v1.get_collection(v1.GraphKeys.UPDATE_OPS)], {x: picture()})
        wanted = session.run({v.op.name: v for v in v1.global_variables()})
        v1.train.Saver().save(session, file)
    assert len(wanted) == 16
    with restored(Path(file), lambda: model(False)) as (session, x, y):
        found = session.run({v.op.name: v for v in v1.global_variables()})
        assert np.isfinite(session.run(y, {x: picture()})).all()
        assert v1.get_collection(v1.GraphKeys.UPDATE_OPS) == []
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


def fresh_weights() -> None:
    """Draw as TensorFlow 1.15 did: cut normals by the fan-in, biases 0."""
    recorded = json.loads((GOLDEN / "tf1" / "init_stats.json").read_text())["kernels"]
    with tf.Graph().as_default():
        v1.set_random_seed(0)
        se_block(v1.placeholder(tf.float32, [None, 1, 1, 1024]))
        conv_layer(v1.placeholder(tf.float32, [None, 1, 1, 128]), 64, 3)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            found = session.run({v.op.name: v for v in v1.global_variables()})
    assert not any(array.any() for name, array in found.items() if name.endswith("bias"))
    laws = {name: (found[name], kernel["cut"], kernel["empirical_std"]) for name, kernel in recorded.items()}
    std = np.sqrt(2.6 / (9 * 128))
    laws["conv2d/kernel"] = found["conv2d/kernel"], 2 * std, 0.8796 * std
    assert len(laws) == 3
    for array, cut, spread in laws.values():
        assert 0.98 * cut < np.abs(array).max() <= cut * (1 + 1e-6)
        assert abs(array.std() / spread - 1) < 5 / np.sqrt(2 * array.size)  # five deviations of a sample's spread


def no_pixels() -> None:
    """Train on a batch without samples, which moves no average."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 5, 3, 16])
        y = norm_layer(x, True, True)
        session.run(v1.global_variables_initializer())
        before = session.run(v1.global_variables())
        session.run([y, *v1.get_collection(v1.GraphKeys.UPDATE_OPS)], {x: picture()[:0]})
        assert all(map(np.array_equal, session.run(v1.global_variables()), before))


def half_precision() -> None:
    """Take the mean of a large picture of one number: a sum in half precision would be infinite."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float16, [None, None, None, 16])
        y = se_block(x, 4)
        session.run(v1.global_variables_initializer())
        large, small = (session.run(y, {x: np.full((1, size, size, 16), 30)}) for size in (56, 1))
    assert np.array_equal(large[:, :1, :1], small)


def errors() -> None:
    def raised(action: Callable[[], Any]) -> str:
        with tf.Graph().as_default():
            return str(caught(action))

    def image(shape: Any = (None, 5, 3, 8), dtype: Any = tf.float32) -> Any:
        return v1.placeholder(dtype, shape)

    assert raised(lambda: se_block(image())) == (
        "SqueezeExcitation(channels=8, reduction=16) leaves no hidden unit: reduction must lie between 1 and 8."
    )
    for shape, shown in ((None, "unknown"), ((None, 8), "(None, 8)"), ((2, 3, 3, None), "(2, 3, 3, None)")):
        assert raised(lambda shape=shape: se_block(image(shape), 4)) == (
            f"se_block takes a tensor [N, H, W, C] with C known, got shape {shown}: "
            "it takes the mean over H and W, and makes weights for C channels."
        )
    no_channels = "with C known, got shape (None, 5, 3, None): it makes"
    nameless = (None, 5, 3, None)
    assert f"conv_layer takes a tensor [N, H, W, C] {no_channels} a kernel" in raised(
        lambda: res_block2(image(nameless), [8, 8], True, True, True)
    )
    assert f"norm_layer takes a tensor [N, H, W, C] {no_channels} weights" in raised(
        lambda: norm_layer(image(nameless), True, True)
    )
    integers = "an image holds floating-point numbers, got uint8: convert it first, to float32 for example"
    for function in (lambda x: se_block(x, 4), lambda x: conv_layer(x, 4, 3), lambda x: norm_layer(x, True, True)):
        assert raised(lambda function=function: function(image(dtype=tf.uint8))) == integers
    for training in (None, "yes", np.array([True, False])):
        assert raised(lambda training=training: norm_layer(image(), training, True)) == (
            f"training must be True, False or a tensor of one truth value, got {training!r}."
        )
    assert "must be True, False or a tensor of one truth value, got <tf.Tensor" in raised(
        lambda: norm_layer(image(), v1.placeholder(tf.int32, []), True)
    )


# ---- around and beside such graphs -----------------------------------------------------------------------------------


def in_a_loop_and_a_function() -> None:
    """Where a scope says `reuse`, rounds of a loop and traces of a function share their weights."""

    def shared(x: Any) -> Any:
        with v1.variable_scope("shared", reuse=v1.AUTO_REUSE):
            return se_block(x, 4)

    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 5, 3, 16])
        _, looped = v1.while_loop(lambda i, _: i < 2, lambda i, y: (i + 1, shared(y)), [0, x])
        traced = tf.function(shared, autograph=False)
        results = [looped, traced(traced(x)), shared(shared(x))]
        assert len(v1.global_variables()) == 4
        session.run(v1.global_variables_initializer())
        first, second, third = session.run(results, {x: picture()})
    assert max(np.abs(first - third).max(), np.abs(second - third).max()) < TENSORFLOW_1["output"]


def in_a_wrapped_function() -> None:
    """Run code of TensorFlow 1 by `wrap_function`, which lets eager code see its variables by their names."""

    def build(x: Any, training: Any) -> Any:
        return tf.cond(training, lambda: se_block(x, 4), lambda: res_block2(x, [16, 16], False, False, True))

    shapes = [tf.TensorSpec([None, 5, 3, 16], tf.float32), tf.TensorSpec([], tf.bool)]
    function = v1.wrap_function(build, shapes)
    counted = {"dense": 4, "conv2d": 2}
    layers = [kind if i == 0 else f"{kind}_{i}" for kind, count in counted.items() for i in range(count)]
    names = {f"{layer}/{leaf}:0" for layer in layers for leaf in ("kernel", "bias")}
    assert {variable.name for variable in function.variables} == names
    for training in (True, False):
        assert function(tf.constant(picture()), tf.constant(training)).shape == (4, 5, 3, 16)


def arrays_in_a_graph() -> None:
    """`tf.layers` took arrays of NumPy for images."""
    with tf.Graph().as_default():
        res_block2(picture(), [16, 16], False, True, True)
        assert [v.op.name for v in v1.global_variables()][:2] == ["conv2d/kernel", "conv2d/bias"]


def graphs_leave_the_rest_alone() -> None:
    """Symbolic tensors of Keras inside a graph, and eager ones after it, are Keras' own."""
    with tf.Graph().as_default():
        symbol = se_block(keras.Input((5, 3, 16)), 4)
        assert isinstance(symbol, keras.KerasTensor)
        se_block(v1.placeholder(tf.float32, [None, 5, 3, 16]), 4)
        assert len([v for v in v1.global_variables() if v.op.name.startswith("dense")]) == 4
    assert res_block2(tf.constant(picture()), [16, 16], True, True, True).shape == (4, 5, 3, 16)
    function = tf.function(lambda x: res_block2(x, [16, 16], False, True, True), autograph=False)
    first = function(tf.constant(picture()))
    assert np.array_equal(first, function(tf.constant(picture())))


LAYERS = {"residual": ("ResidualBlock", 4), "bases": ("ExpectationMaximizationAttention", 3), "gates": ("CBAM", 0)}


def layers_in_a_graph(kind: str) -> None:
    """Find in UPDATE_OPS, once, what training moves in layers of Keras; find weights in another graph by name."""
    name, count = LAYERS[kind]
    block = example(name)
    shape = [None, 4, 3, block.config()["channels"]]
    values = np.random.default_rng(0).standard_normal((2, *shape[1:]))
    names = []
    for _ in range(2):
        with tf.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, shape)
            layer = attn_tf.layer.unbuilt(block, name="layer")
            y = layer(x, training=True)
            updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
            assert len(updates) == count
            names.append([v.op.name for v in v1.global_variables()])
            session.run(v1.global_variables_initializer())
            fixed = [v for v in v1.global_variables() if not any(v is each for each in v1.trainable_variables())]
            before = session.run(fixed)
            session.run([y, *updates], {x: values})
            after = session.run(fixed)
        assert len(fixed) == count
        assert not any(map(np.array_equal, before, after))
    assert names[0] == names[1]
    with tf.Graph().as_default():
        error = caught(lambda: layer(v1.placeholder(tf.float32, shape)))
    assert str(error) == (
        "layer has its variables outside of this graph: make a layer in each graph, with name='layer', "
        "under which savers find the same weights."
    )


def weights_in_a_graph(folder: str) -> None:
    """Refuse to give weights while a graph is built, where nothing would come of it, and to read them."""
    block = core.SqueezeExcitation(8, 2)
    file = Path(folder) / "se.safetensors"
    core.save(file, block, core.initialise(block, seed=0))
    with tf.Graph().as_default():
        given = caught(lambda: attn_tf.load(file, name="se"))
        read = caught(lambda: attn_tf.weights(attn_tf.bind(block, name="se")))
    assert str(given) == (
        "se is in a graph of tf.compat.v1, where a session gives variables their values: "
        "bind the block without weights, then restore them with a Saver, or run `assign` of each variable."
    )
    assert str(read) == (
        "se is in a graph of tf.compat.v1, where a session holds the weights: "
        "session.run([variable.value for variable in layer.variables])."
    )


# ---- without TensorFlow 2's behaviour --------------------------------------------------------------------------------


SAMPLES = ("residual_blocks", "regularizer", "partitioner", "custom_getter", "in_a_condition", "template")
BEHAVIOUR = ("control_flow_v2", "resource_variables", "v2_tensorshape")


def as_after_disable_v2_behavior() -> None:
    """Build with the control flow, variables and shapes of TensorFlow 1, as most of its programs do today."""
    for name in BEHAVIOUR:
        getattr(v1, f"disable_{name}")()
    try:
        assert not v1.control_flow_v2_enabled()
        for name in SAMPLES:
            scenario(name)
        moving_averages()
        restores_in_training_mode()
    finally:
        for name in BEHAVIOUR:
            getattr(v1, f"enable_{name}")()


def beside_keras_on_jax() -> None:
    """TensorFlow alone is needed, whatever Keras runs on."""
    assert keras.backend.backend() == "jax"
    scenario("residual_blocks")
    restores("se_block_scoped_stack")
