"""What Keras users do with a layer, each a function that runs on whichever backend Keras has in this process."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
from cases import Case

import attn_core as core
import attn_tf
from attn_core import parity
from attn_core.interpreters.rounding import bounded

OPTIONS = {"hidden": 3, "bias": False, "activation": "silu", "gate": "hard_sigmoid"}


def image(*shape: int) -> np.ndarray:
    return np.moveaxis(parity.sample_image(shape or (2, 16, 5, 6)), 1, -1).astype("float32")


def numpy(x: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(x))


def difference(a: Any, b: Any) -> float:
    return float(np.abs(numpy(a).astype("float64") - numpy(b).astype("float64")).max())


def model_of(**options: Any) -> keras.Model:
    x = keras.Input((None, None, 16))
    return keras.Model(x, attn_tf.SqueezeExcitation(4, name="attention", **options)(x))


def symbolic_with_unknown_height_and_width() -> None:
    model = model_of()
    assert model.output_shape == (None, None, None, 16)
    layer = model.get_layer("attention")
    for shape in [(1, 16, 1, 1), (2, 16, 5, 6), (3, 16, 4, 9)]:
        assert difference(model(image(*shape)), layer(image(*shape))) == 0


def saves_and_loads_with_options(folder: str) -> None:
    model = model_of(**OPTIONS)
    model.save(Path(folder) / "model.keras")
    again = keras.models.load_model(Path(folder) / "model.keras")
    assert again.get_layer("attention").block == core.SqueezeExcitation(16, 4, **OPTIONS)
    assert difference(again(image()), model(image())) == 0
    model.save_weights(Path(folder) / "model.weights.h5")
    fresh = model_of(**OPTIONS)
    assert difference(fresh(image()), model(image())) > 1e-3
    fresh.load_weights(Path(folder) / "model.weights.h5")
    assert difference(fresh(image()), model(image())) == 0


def symbolic_saved_and_loaded(case: Case, other: Case, folder: str) -> None:
    """Check a functional model of one block, whose input's batch and sizes are unknown where the block allows it."""
    inputs = case.channels_last
    fixed = case.shape == other.shape
    symbols = [
        keras.Input(a.shape[1:] if i >= case.block.images or fixed else (*(None,) * (a.ndim - 2), a.shape[-1]))
        for i, a in enumerate(inputs)
    ]
    layer = attn_tf.bind(case.block, case.weights, data_format="channels_last")
    model = keras.Model(symbols, layer(*symbols))
    model.save(Path(folder) / "model.keras")
    again = keras.models.load_model(Path(folder) / "model.keras")
    for each in (case, other):
        for run in (model, again):
            assert each.share(first_channels(numpy(run(each.channels_last)))) <= 1


def given(case: Case) -> list[np.ndarray]:
    return [array.astype("float32") for array in case.given]


def native(array: np.ndarray) -> np.ndarray:
    return np.moveaxis(array, 1, -1)


def first_channels(array: np.ndarray) -> np.ndarray:
    """Return an image with its channels first, a vector as it is."""
    return np.moveaxis(array, -1, 1) if array.ndim > 2 else array


def config_round_trip() -> None:
    layer = attn_tf.SqueezeExcitation(4, name="se", dtype="mixed_bfloat16", data_format="channels_first", **OPTIONS)
    again = attn_tf.SqueezeExcitation.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert {key: layer.get_config()[key] for key in OPTIONS} == OPTIONS
    assert again.dtype_policy.name == "mixed_bfloat16"
    left_out = {attn_tf.SqueezeExcitation: ("reduction", 8), attn_tf.ShuffleAttention: ("groups", 4)}
    for kind, (field, number) in left_out.items():  # a file holds the number that the rule gave
        layer = kind()
        assert layer.get_config()[field] is None
        layer(image(1, 8, 2, 2))
        assert layer.get_config()[field] == number


def mixed_precision() -> None:
    layer = attn_tf.SqueezeExcitation(4, dtype="mixed_float16")
    output = layer(30 + image(2, 16, 56, 56))
    assert keras.backend.standardize_dtype(output.dtype) == "float16"
    assert np.isfinite(numpy(output)).all()
    assert {v.dtype for v in layer.variables} == {"float32"}
    assert {child.compute_dtype for child in (layer.reduce, layer.expand)} == {"float16"}


def trains() -> None:
    keras.utils.set_random_seed(0)
    model = model_of()
    model.compile(optimizer=keras.optimizers.SGD(10.0), loss="mse")
    x = image(8, 16, 5, 6)
    losses = model.fit(x, 0.3 * x, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.9 * losses[0]


def canonical_weights(folder: str) -> None:
    block = core.SqueezeExcitation(16, hidden=3, gate="hard_sigmoid")
    weights = core.initialise(block, seed=3)
    core.save(Path(folder) / "se.safetensors", block, weights)
    layer = attn_tf.load(Path(folder) / "se.safetensors", name="loaded")
    assert (layer.name, layer.block) == ("loaded", block)
    found = attn_tf.weights(layer)
    assert {name: array.tobytes() for name, array in found.items()} == {n: a.tobytes() for n, a in weights.items()}
    assert layer.reduce.kernel.shape == (16, 3)


def gates() -> None:
    layer = attn_tf.SqueezeExcitation(4)
    gate = layer.gates(image())["channel"]
    assert tuple(gate.shape) == (2, 16)
    assert difference(image() * numpy(gate)[:, None, None], layer(image())) < 1e-6
    x = keras.Input((None, None, 16))
    assert difference(keras.Model(x, layer.gates(x))(image())["channel"], gate) == 0
    wide = attn_tf.SqueezeExcitation(4, dtype="float64").gates(keras.Input((None, None, 16), dtype="float64"))
    assert wide["channel"].shape == (None, 16)


def errors() -> None:
    layer = attn_tf.SqueezeExcitation(4)
    layer(image())
    wrong = caught(lambda: layer(image(2, 8, 5, 5)))
    assert isinstance(wrong, ValueError)
    assert wrong.__notes__ == [
        "SqueezeExcitation(channels=16, reduction=4) on [(2, 5, 5, 8)]: reduce: Dense expects 16 features, got (2, 8)"
    ]
    flat = caught(lambda: attn_tf.SqueezeExcitation(4)(np.zeros((2, 16), "float32")))
    assert str(flat) == "an image has a batch axis, a channel axis and at least one spatial axis, not 2 axes"
    unknown = caught(lambda: attn_tf.SqueezeExcitation(4)(keras.Input((None, None, None))))
    assert str(unknown) == (
        "SqueezeExcitation must know the number of channels, axis 3 in channels_last; got shape "
        "(None, None, None, None). Set that axis in keras.Input or call the layer on a known shape."
    )
    narrow = caught(lambda: attn_tf.SqueezeExcitation(16)(image(1, 8, 2, 2)))
    assert str(narrow) == (
        "SqueezeExcitation(channels=8, reduction=16) leaves no hidden unit: reduction must lie between 1 and 8."
    )
    for run in (layer, layer.gates):
        integers = caught(lambda run=run: run(keras.ops.convert_to_tensor(np.full((2, 5, 5, 16), 200, "uint8"))))
        assert "an image holds floating-point numbers, got uint8: convert it first, to float32 for" in str(integers)
    early = caught(lambda: attn_tf.weights(attn_tf.SqueezeExcitation(4, name="se")))
    assert str(early) == "se has no weights yet: call it on an image, or build it, first."
    layout = caught(lambda: attn_tf.SqueezeExcitation(4, data_format="NHWC"))
    assert str(layout) == "data_format must be channels_last or channels_first, got 'NHWC'."


def caught(action: Any) -> Exception:
    try:
        action()
    except (AttributeError, TypeError, ValueError, NotImplementedError) as error:
        return error
    raise AssertionError("nothing was raised")


# ---- the TensorFlow 1 function ---------------------------------------------------------------------------------------


def se_block_on_tensors() -> None:
    keras.utils.set_random_seed(0)
    x = keras.ops.convert_to_tensor(image())
    y = attn_tf.se_block(x, ratio=4)
    assert tuple(y.shape) == (2, 5, 6, 16)
    ratios = numpy(y) / numpy(x)
    assert ((ratios > 0) & (ratios < 1)).all()


def se_block_in_a_model(folder: str) -> None:
    """Code of TensorFlow 1, as it was, with Keras for what stood around it."""
    x = keras.Input((None, None, 16))
    y = keras.layers.Conv2D(24, 3, padding="same", activation="relu")(x)
    model = keras.Model(x, keras.layers.Dense(3)(attn_tf.se_block(y, 4)))
    assert sum("squeeze_excitation" in layer.name for layer in model.layers) == 1
    model.save(Path(folder) / "model.keras")
    assert difference(keras.models.load_model(Path(folder) / "model.keras")(image()), model(image())) == 0


def res_block2_in_a_model(folder: str) -> None:
    """Whole residual blocks likewise; they compute what the block of the same configuration does."""
    keras.utils.set_random_seed(0)
    x = keras.Input((None, None, 16))
    y = attn_tf.res_block2(x, [24, 32], None, use_bn=True, use_se_block=True, strides=2, downsample=True)
    model = keras.Model(x, attn_tf.res_block2(y, [8, 32], None, use_bn=False, use_se_block=False))
    assert sum("squeeze_excitation" in layer.name for layer in model.layers) == 1
    model.save(Path(folder) / "model.keras")
    assert difference(keras.models.load_model(Path(folder) / "model.keras")(image()), model(image())) == 0
    first = keras.Model(x, y)
    listing = {"padding": "same", "bias": True, "relu_last": True, "momentum": 0.01, "eps": 1e-3}
    se = "SqueezeExcitation"
    block = core.ResidualBlock(16, 32, 2, attention=se, hidden=24, project=True, **listing)
    layer = attn_tf.bind(block, data_format="channels_last")
    kinds = (keras.layers.Conv2D, attn_tf.SqueezeExcitation, keras.layers.BatchNormalization)
    theirs = (layer.conv1, layer.conv2, layer.shortcut, layer.attention)
    theirs += (layer.conv1_norm, layer.conv2_norm, layer.shortcut_norm)
    ours = [part for kind in kinds for part in first.layers if isinstance(part, kind)]
    for part, own in zip(theirs, ours, strict=True):
        part.set_weights(own.get_weights())
    limits = bounded(block, attn_tf.weights(layer), np.moveaxis(image(), -1, 1))
    found = np.moveaxis(numpy(first(image())), -1, 1)
    assert (abs(found - limits.values.output) <= limits.bounds["output"]).all()


def se_block_errors() -> None:
    wrong = {
        (None, None, None, None): "got shape (None, None, None, None)",
        (None, 8, 16): "got shape (None, 8, 16)",
    }
    for shape, end in wrong.items():
        error = caught(lambda shape=shape: attn_tf.se_block(keras.Input(shape[1:])))
        assert str(error) == (
            f"se_block takes a tensor [N, H, W, C] with C known, {end}: "
            "it takes the mean over H and W, and makes weights for C channels."
        )
    narrow = caught(lambda: attn_tf.se_block(keras.Input((4, 4, 8))))
    assert str(narrow) == (
        "SqueezeExcitation(channels=8, reduction=16) leaves no hidden unit: reduction must lie between 1 and 8."
    )


def fresh(block: core.Block, draws: int) -> list[dict[str, np.ndarray]]:
    """Draw fresh weights a few times, on this backend."""
    keras.utils.set_random_seed(0)
    return [attn_tf.weights(attn_tf.bind(block)) for _ in range(draws)]


# ---- networks --------------------------------------------------------------------------------------------------------


def constructors() -> None:
    """Compare with the configurations of the other packages, read from the input where that tells them."""
    network = attn_tf.se_resnet_34(5, attention="cbam")
    assert network.configure(3, 2) == core.se_resnet_34(5, attention="cbam")
    assert attn_tf.hybrid_sn_2d_first(20, 11, 4).configure(1, 3) == core.hybrid_sn_2d_first(20, 11, 4)


def attention_in_files(folder: str) -> None:
    """Save an attention that is given as a class, by its name; refuse a function, which Keras could not read back."""
    layer = attn_tf.ResidualBlock(16, attention=core.CBAM)
    assert attn_tf.ResidualBlock.from_config(layer.get_config()).options["attention"] == "CBAM"
    x = keras.Input((8, 8, 4))
    free = attn_tf.ResidualBlock(4, attention=lambda channels: core.SqueezeExcitation(channels, 2), name="free")
    refused = caught(lambda: keras.Model(x, free(x)).save(Path(folder) / "free.keras"))
    assert str(refused) == (
        "free cannot be saved whole, its weights can: give a name, or a text such as 'CBAM(reduction=8)', "
        "in place of the function."
    )


def dropout(block: core.Block) -> None:
    from test_models import check_dropout

    layer = attn_tf.bind(block, data_format="channels_first")
    check_dropout(lambda x, train: numpy(layer(x, training=train)))


def network(case: Case, folder: str) -> None:
    """Fit, save and load a network as it is: it is a model of Keras."""
    keras.utils.set_random_seed(0)
    model = attn_tf.bind(case.block, case.weights, data_format="channels_last")
    assert isinstance(model, keras.Model)
    x, y = native(given(case)[0]), np.array([0, 1, 0])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.05), loss, metrics=["accuracy"])
    losses = model.fit(x, y, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(Path(folder) / "network.keras")
    again = keras.models.load_model(Path(folder) / "network.keras")
    assert again.block == model.block
    assert difference(again.predict(x, verbose=0), model.predict(x, verbose=0)) == 0
    fresh = attn_tf.bind(case.block, data_format="channels_last")
    model.save_weights(Path(folder) / "network.weights.h5")
    fresh.load_weights(Path(folder) / "network.weights.h5")
    assert difference(fresh(x), model(x)) == 0
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    assert any("stage1" in line for line in lines)


def as_tflite(block: core.Block) -> None:
    """Convert a layer with built-in operations alone, and run it on an image."""
    import tensorflow as tf

    x = native(parity.sample_image((1, 4, 5, 6)).astype("float32"))
    symbol = keras.Input(x.shape[1:], batch_size=1)
    layer = attn_tf.bind(block, data_format="channels_last")
    model = keras.Model(symbol, layer(symbol))
    content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert difference(found, model(x)) < 1e-6


def tied_gradients(image: np.ndarray) -> dict[str, np.ndarray]:
    """Return the gradient of the sum of all maxima of an image, canonical, in the ways of this process's backend."""
    from attn_tf.ops import Images

    primitives = Images("channels_last")

    def total(x: Any) -> Any:
        largest = primitives.global_max(x), primitives.channel_max(x), primitives.maximum(x, keras.ops.ones_like(x))
        return sum(keras.ops.sum(numbers) for numbers in largest)

    found = {way: numpy(gradient) for way, gradient in _gradients(total, native(image)).items()}
    return {way: np.moveaxis(gradient, -1, 1) for way, gradient in found.items()}


def _gradients(total: Any, x: np.ndarray) -> dict[str, Any]:
    if keras.backend.backend() == "jax":
        import jax

        return {"grad": jax.grad(total)(x), "jit": jax.jit(jax.grad(total))(x)}
    if keras.backend.backend() == "torch":
        import torch

        given = torch.tensor(x, requires_grad=True)
        return {
            "autograd": torch.autograd.grad(total(given), given)[0],
            "grad": torch.func.grad(total)(torch.tensor(x)),
        }
    import tensorflow as tf

    def taped(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = total(x)
        return tape.gradient(result, x)

    given = tf.constant(x)
    ways = {"eager": taped, "function": tf.function(taped), "compiled": tf.function(taped, jit_compile=True)}
    sizes_left_open = tf.TensorSpec([None, None, None, x.shape[-1]], given.dtype)
    ways["open"] = tf.function(taped, input_signature=[sizes_left_open])
    ways["recomputed"] = lambda x: _recomputed(total, x)
    return {way: gradient(given) for way, gradient in ways.items()}


def moved_lines(lines: dict[Any, np.ndarray]) -> dict[Any, tuple[np.ndarray, np.ndarray]]:
    """Return the maxima of arrays along the axis in their keys, and the gradient of the sum; in TensorFlow in a graph.

    There, the sizes are known when the graph is made.
    """
    from attn_tf.maxima import largest
    from attn_tf.passes import through

    def found(axis: int, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        given = keras.ops.convert_to_tensor(x, "float32")
        pull = keras.ops.ones_like(keras.ops.amax(given, axis, keepdims=True))

        def maxima(x: Any) -> Any:
            return largest(x, axis), []

        def run(x: Any) -> Any:
            return through(maxima, [x], pull)

        output, (gradient,), _ = compiled(run)(given)
        return numpy(output), numpy(gradient)

    return {key: found(key[1], x) for key, x in lines.items()}


def compiled(function: Any) -> Any:
    """Return a function as a graph in TensorFlow; elsewhere as it is."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    return tf.function(function)


def _recomputed(total: Any, x: Any) -> Any:
    """Take the gradient of what is computed again for it."""
    import tensorflow as tf

    again = tf.recompute_grad(total)
    with tf.GradientTape() as tape:
        tape.watch(x)
        result = again(x)
    return tape.gradient(result, x)


def quantised() -> None:
    """Give the numbers that an int8 kernel stands for; of other forms, say that they are none."""

    def made() -> tuple[Any, Any, dict[str, np.ndarray]]:
        x = keras.Input((None, None, 8))
        layer = attn_tf.SqueezeExcitation(2, name="se")
        return layer, keras.Model(x, layer(x)), attn_tf.weights(layer)

    def said(layer: Any) -> str:
        try:
            return str(attn_tf.weights(layer))
        except ValueError as error:
            return str(error)

    layer, model, before = made()
    with warnings.catch_warnings(action="ignore"):  # Keras tells which layers have no kernel
        model.quantize("int8")
    after = attn_tf.weights(layer)
    for name, array in before.items():
        step = np.abs(array).max() / 127 if name.endswith("weight") else 0
        assert np.abs(after[name] - array).max() <= step
    assert tuple(layer.gates(image(2, 8, 3, 4))["channel"].shape) == (2, 8)
    layer, model, _ = made()
    with warnings.catch_warnings(action="ignore"):
        model.quantize("int4")
    assert said(layer) == "se/reduce is quantised to int4, whose weights are no plain arrays: take them before that."
    layer, *_ = made()
    layer.reduce.enable_lora(2)
    assert said(layer) == "se/reduce is a sum with LoRA, whose weights are no plain arrays: take them before that."


def plain_peers(shape: tuple[int, ...]) -> dict[str, float]:
    """Return how far the plain peers of `attn bench` are from our layers."""
    import tensorflow as tf
    from test_bench_peers import differences

    # This process may have run other tests already, after which TensorFlow keeps its number of threads.
    return differences("keras", threads=tf.config.threading.get_intra_op_parallelism_threads())
