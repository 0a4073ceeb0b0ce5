"""What `attn_tf.record_gates` does, checked on whichever backend Keras has in this process."""

from __future__ import annotations

from collections import Counter
from typing import Any

import keras
import numpy as np
from blocks import EXAMPLES
from keras_checks import difference, numpy
from keras_parts import watched

import attn_core as core
import attn_tf

NETWORK = core.SEResNet(3, (1, 1), bottleneck=False, width=4, attention="CBAM(reduction=2, kernel=3)")
PATHS = [f"se_res_net/stage{i}/block1/attention/{half}" for i in (1, 2) for half in ("channel", "spatial")]
IMAGE = np.random.default_rng(0).standard_normal((2, 24, 20, 3)).astype("float32")


def raised(kind: type[Exception], function: Any, *given: Any) -> str:
    try:
        function(*given)
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind.__name__}")


def a_network() -> Any:
    return attn_tf.bind(NETWORK, core.initialise(NETWORK, 1), name="se_res_net", data_format="channels_last")


def every_block(names: list[str]) -> None:
    for name in names:
        case = EXAMPLES[name]
        layer = attn_tf.bind(case.block, case.weights, data_format="channels_last")
        inputs = case.channels_last
        with attn_tf.record_gates(layer) as gates:
            output = layer(*inputs)
        assert difference(output, layer(*inputs)) == 0
        found = {name: gate for calls in gates.values() for name, gate in calls[0].items()}
        alone = layer.gates(*inputs)
        assert found.keys() == alone.keys()
        assert all(difference(found[name], alone[name]) == 0 for name in alone)


def network() -> None:
    """Find outputs, statistics and calls of parts as in a plain pass, in training."""
    ours, plain = a_network(), a_network()
    calls, alone = Counter[str](), Counter[str]()
    watched(ours, calls), watched(plain, alone)
    with attn_tf.record_gates(ours) as gates:
        output = ours(IMAGE, training=True)
    assert difference(output, plain(IMAGE, training=True)) == 0
    assert list(gates) == PATHS
    assert calls == alone
    for one, other in zip(ours.variables, plain.variables, strict=True):
        assert difference(one, other) == 0


def own_networks() -> None:
    attention = attn_tf.SqueezeExcitation(2, name="attention")
    x = keras.Input((None, None, 3))
    model = keras.Model(x, attn_tf.CBAM(2, name="cbam")(attention(attention(keras.layers.Conv2D(4, 3)(x)))))
    with attn_tf.record_gates(model) as gates:
        model(IMAGE)
    assert {path: len(calls) for path, calls in gates.items()} == {"attention": 2, "cbam/channel": 1, "cbam/spatial": 1}


def contexts_end() -> None:
    ours = a_network()
    layers = ours._flatten_layers()
    before = [dict(vars(layer)) for layer in layers]
    with attn_tf.record_gates(ours) as outer:
        with attn_tf.record_gates(ours) as inner:
            ours(IMAGE)
        ours(IMAGE)
    assert {len(calls) for calls in outer.values()} == {2}
    assert {len(calls) for calls in inner.values()} == {1}

    one, other = attn_tf.record_gates(ours), attn_tf.record_gates(ours)
    one.__enter__(), other.__enter__()
    if keras.backend.backend() != "jax":  # whose settings are those of a stack
        one.__exit__(None, None, None), other.__exit__(None, None, None)
    else:
        other.__exit__(None, None, None), one.__exit__(None, None, None)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        assert not tf.config.functions_run_eagerly()

    def wrong() -> None:
        with attn_tf.record_gates(ours):
            ours(IMAGE[..., :2])

    raised(Exception, wrong)
    for layer, attributes in zip(layers, before, strict=True):
        assert vars(layer).get("block") is attributes.get("block")
        assert "_listeners" not in vars(layer)


def compiled() -> None:
    """Record what `predict` and `fit` compile; on JAX, what `fit` computes is told to be lost, and it goes on."""
    ours = a_network()
    plain, written = ours.predict(IMAGE, verbose=0), numpy(ours(IMAGE))
    with attn_tf.record_gates(ours) as gates:
        again = ours.predict(IMAGE, verbose=0)
    assert list(gates) == PATHS
    assert difference(again, written) == 0
    assert numpy(gates[PATHS[0]][0]["channel"]).shape == (2, 4)
    ours.compile("sgd", "mse")

    def fit() -> None:
        with attn_tf.record_gates(ours) as gates:
            ours.fit(IMAGE, plain, verbose=0)
        assert numpy(gates[PATHS[0]][0]["channel"]).shape == (2, 4)

    if keras.backend.backend() == "jax":
        said = raised(RuntimeError, fit)
        assert said.startswith("record_gates cannot hand out what a function that JAX transforms computes, as that of")
        ours(IMAGE)
    else:
        fit()


def refuses() -> None:
    def record(network: Any) -> None:
        with attn_tf.record_gates(network):
            pass

    said = raised(TypeError, record, core.CBAM(32))
    assert said == "record_gates takes a layer or model of Keras, got CBAM."
    said = raised(ValueError, record, attn_tf.CBAM(2, name="a"))
    assert said == "a is not built, a has no parts yet: call it on an image first."
    said = raised(ValueError, record, attn_tf.bind(core.NonLocal(4), name="b"))
    assert said == "b has no layer of attn_tf with gates: there is nothing to record."
    model = keras.Sequential([attn_tf.SqueezeExcitation(2, name="same"), keras.layers.ReLU()], name="s")
    model(IMAGE)
    other = keras.Sequential([model, attn_tf.SqueezeExcitation(2, name="same")], name="s")
    other(IMAGE)
    if len({layer.path for layer in other._flatten_layers() if isinstance(layer, attn_tf.Layer)}) == 1:
        said = raised(ValueError, record, other)
        assert said == "2 layers of s have the path s/same: give each a name of its own."
