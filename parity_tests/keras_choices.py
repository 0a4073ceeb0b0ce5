"""What Keras users choose for a layer, and what they hand to it: functions that run on this process's backend."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
from keras_checks import caught, difference, image, numpy

import attn_core as core
import attn_tf
from attn_core.spec import parts

CHOSEN = {
    "kernel_initializer": "he_normal",
    "bias_initializer": keras.initializers.Constant(0.25),
    "kernel_regularizer": keras.regularizers.L2(0.5),
    "bias_regularizer": keras.regularizers.L1(2.0),
    "kernel_constraint": keras.constraints.NonNeg(),
    "bias_constraint": keras.constraints.MaxNorm(0.1),
}


def chosen(folder: str) -> None:
    """Choose for every kernel and bias: it counts in losses and updates, and is saved."""
    keras.utils.set_random_seed(0)
    x = keras.Input((4, 4, 16))
    layer = attn_tf.CBAM(4, bias=True, norm=True, **CHOSEN)
    model = keras.Model(x, layer(x))
    inner = [layer.channel.reduce, layer.channel.expand, layer.spatial.conv]
    kernels = [numpy(each.kernel) for each in inner]
    biases = [numpy(each.bias) for each in inner[:2]]  # the convolution before a norm has none
    assert all((bias == 0.25).all() for bias in biases)
    wanted = sum(0.5 * (kernel**2).sum() for kernel in kernels) + sum(2 * abs(bias).sum() for bias in biases)
    found = float(sum(numpy(loss) for loss in model.losses))
    numbers = sum(array.size for array in (*kernels, *biases))
    assert abs(found - wanted) <= numbers * 2.0**-24 * wanted  # a sum of so many numbers
    model.compile(keras.optimizers.SGD(0.01), "mse")
    model.fit(image(4, 16, 4, 4), image(4, 16, 4, 4), verbose=0)
    assert all((numpy(each.kernel) >= 0).all() for each in inner)
    model.save(Path(folder) / "chosen.keras")
    again = keras.models.load_model(Path(folder) / "chosen.keras").layers[1]
    assert isinstance(again.kernel_constraint, keras.constraints.NonNeg)
    assert again.spatial.conv.kernel_regularizer.get_config() == {"l2": 0.5}
    assert difference(again(image(2, 16, 4, 4)), layer(image(2, 16, 4, 4))) == 0


def each_layer_draws_for_itself() -> None:
    """Draw anew for each layer: one initializer gives the same numbers whenever it is asked."""
    block = core.SqueezeExcitation(4, hidden=4)
    layer = attn_tf.SqueezeExcitation(hidden=4, kernel_initializer=keras.initializers.RandomNormal())
    layer(image(1, block.channels, 2, 2))
    assert difference(layer.reduce.kernel, layer.expand.kernel) > 0
    network = attn_tf.se_resnet_18(3, width=4, kernel_initializer="zeros")
    network(image(1, 3, 32, 32))
    assert all((numpy(array) == 0).all() for name, array in attn_tf.weights(network).items() if _is_kernel(name))


def _is_kernel(name: str) -> bool:
    return name.endswith(".weight") and "norm" not in name


def choices_without_effect() -> None:
    """Refuse what would change nothing."""
    layer = attn_tf.SqueezeExcitation(4, name="se")
    layer.kernel_regularizer = "l2"
    layer(image())
    assert isinstance(layer.reduce.kernel_regularizer, keras.regularizers.L2)
    late = caught(lambda: setattr(layer, "kernel_regularizer", None))
    assert str(late) == (
        "se is built, and kernel_regularizer would be without effect; its kernels and biases are made when it is "
        "built: give kernel_regularizer to SqueezeExcitation(...)."
    )
    shuffled = caught(lambda: attn_tf.ShuffleAttention(4, name="sa", kernel_regularizer="l2")(image()))
    assert str(shuffled) == (
        "kernel_regularizer would be without effect: ShuffleAttention(channels=16, groups=4) has no dense layer or "
        "convolution with a kernel."
    )
    bare = caught(lambda: attn_tf.SqueezeExcitation(4, name="se", bias=False, bias_constraint="non_neg")(image()))
    assert "has no dense layer or convolution with a bias" in str(bare)


def masks() -> None:
    """Refuse an input with a mask, in the call and in a functional model; take it without its mask."""
    line = np.ones((2, 5, 16), "float32")
    line[:, 3:] = 0
    masking, layer = keras.layers.Masking(), attn_tf.SqueezeExcitation(4, name="se")
    symbol = keras.Input((None, 16))
    for run in (lambda: layer(masking(line)), lambda: layer(masking(symbol))):
        assert str(caught(run)) == (
            "se got an input with a mask. SqueezeExcitation takes none: its means and maxima are over all positions, "
            "and would count those that are masked; cut or pad to what shall count, or pass on the tensor without its "
            "mask, by keras.ops.copy for one."
        )
    plain = keras.Model(symbol, layer(keras.ops.copy(masking(symbol))))
    assert difference(plain(line), layer(line)) == 0


def loads_what_was_quantised(folder: str) -> None:
    """Read layers of few bits: blocks, blocks in blocks, networks."""
    for name, layer, mode in (
        ("cbam", attn_tf.CBAM(4), "int8"),
        ("network", attn_tf.se_resnet_18(3, width=4), "int8"),
        ("se", attn_tf.SqueezeExcitation(4), "int4"),
        ("se8", attn_tf.SqueezeExcitation(4), "float8"),
    ):
        x = keras.Input((32, 32, 16))
        model = keras.Model(x, layer(x))
        with warnings.catch_warnings(action="ignore"):  # Keras tells which layers have no kernel
            model.quantize(mode)
        path = Path(folder) / f"{name}.keras"
        model.save(path)
        again = keras.models.load_model(path)
        given = image(2, 16, 32, 32)
        assert difference(again(given), model(given)) == 0, name
        kinds = [variable.dtype for variable in again.variables]
        assert "int8" in kinds or mode == "float8"
        assert kinds == [variable.dtype for variable in model.variables]


@dataclass(frozen=True)
class OwnGate(core.Block):
    """A block of a user: gates of a CBAM and of a layer."""

    source: ClassVar[str] = ""

    channels: int
    sizes: tuple[int, ...] = (1, 2)
    inner: core.Block | None = None

    def parts(self) -> dict[str, Any]:
        """Return `weigh`, and the block inside."""
        found = {"weigh": parts.Dense(self.channels, self.channels)}
        return found | ({"inner": self.inner} if self.inner else {})

    def forward(self, f: Any, p: Any, x: Any) -> Any:
        """Scale the channels."""
        y = f.scale(x, f.sigmoid(p.weigh(f.global_mean(x))))
        return p.inner(y) if self.inner else y


def own_blocks_are_saved(folder: str) -> None:
    """Save a layer of a user's block, and read it where its class is known."""
    block = OwnGate(16, (3, 4), core.CBAM(16, 4))
    x = keras.Input((None, None, 16))
    model = keras.Model(x, attn_tf.bind(block, data_format="channels_last")(x))
    path = Path(folder) / "own.keras"
    model.save(path)
    unknown = caught(lambda: keras.models.load_model(path))
    assert "There is no block 'OwnGate' here: register its class by keras.saving.register_keras_serializable" in str(
        unknown
    )
    again = keras.models.load_model(path, custom_objects={"OwnGate": OwnGate})
    assert again.layers[-1].block == block
    assert difference(again(image()), model(image())) == 0
    free = attn_tf.bind(OwnGate(16, (3, len)), data_format="channels_last")
    refused = caught(free.get_config)
    assert str(refused).endswith(
        "a field holds numbers, texts, tuples of them, blocks or None, not <built-in function len>."
    )


def backbones(folder: str) -> None:
    """Build on a network without its top, with named results inside; it is saved as any functional model."""
    network = attn_tf.se_resnet_18(3, width=4, name="net")
    whole = network(image(2, 3, 40, 33))  # now it is built
    model = network.backbone((None, None, 3))
    assert model.input.shape == (None, None, None, 3)
    assert [layer.name for layer in model.layers][-4:] == ["stage1", "stage2", "stage3", "stage4"]
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    assert all(any(name in line for line in lines) for name in ("stem", "stage1", "stage4"))
    assert not any("classify" in line for line in lines)
    features = model(image(2, 3, 40, 33))
    means = keras.ops.sum(features, (1, 2)) / (features.shape[1] * features.shape[2])
    assert difference(network.classify(means), whole) == 0
    pyramid = network.backbone((40, 33, 3), ("stage2", "stage4"))
    found = pyramid(image(2, 3, 40, 33))
    assert list(found) == ["stage2", "stage4"]
    assert difference(found["stage4"], features) == 0
    head = keras.Model(pyramid.input, keras.layers.Conv2D(1, 1)(pyramid.output["stage2"]))
    head.compile("sgd", "mse")
    head.fit(image(2, 3, 40, 33), np.zeros((2, 5, 5, 1), "float32"), verbose=0)
    head.save(Path(folder) / "head.keras")
    again = keras.models.load_model(Path(folder) / "head.keras")
    assert difference(again(image(2, 3, 40, 33)), head(image(2, 3, 40, 33))) == 0
    wrong = caught(lambda: network.backbone((None, None, 3), "stage5"))
    assert str(wrong).startswith("net has no part stage5; its parts are stem, stem_norm, stage1")
    bare = caught(lambda: attn_tf.hybrid_sn(15, 11, 3, name="hybrid").backbone((15, 11, 11, 1)))
    assert str(bare).startswith("hybrid has no stages: name a part in outputs, of ")
