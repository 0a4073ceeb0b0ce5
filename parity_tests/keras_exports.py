"""What a Keras layer is exported to on TensorFlow, and runs there: outputs of some cases of one block."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf
from cases import Case
from keras_checks import first_channels

import attn_tf

Run = Callable[..., dict[str, np.ndarray]]


def saved_model(case: Case, others: Sequence[Case]) -> list[np.ndarray | str]:
    """Export with sizes left open, and run the signature on images of these cases."""
    with tempfile.TemporaryDirectory() as folder:
        _model(case, fixed=False).export(folder, verbose=False)
        serve = tf.saved_model.load(folder).signatures["serve"]
        return _outputs(lambda **given: serve(**{name: tf.constant(x) for name, x in given.items()}), others)


def tflite(case: Case, others: Sequence[Case]) -> list[np.ndarray | str]:
    """Convert with built-in operations alone, for images of one size."""
    return _outputs(_interpreted(_converter(case)), others)


def tflite_int8(case: Case, others: Sequence[Case]) -> list[np.ndarray | str]:
    """Convert with every operation in int8, calibrated on the case's own images."""
    converter = _converter(case)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: iter([dict(zip(_names(case), case.channels_last, strict=True))])
    return _outputs(_interpreted(converter), others)


def _names(case: Case) -> list[str]:
    return [f"input{i}" for i in range(len(case.given))]


def _model(case: Case, *, fixed: bool) -> keras.Model:
    layer = attn_tf.bind(case.block, case.weights, data_format="channels_last")
    symbols = []
    for i, (name, array) in enumerate(zip(_names(case), case.channels_last, strict=True)):
        known = fixed or i >= case.block.images
        shape = array.shape[1:] if known else (*(None,) * (array.ndim - 2), array.shape[-1])
        symbols.append(keras.Input(shape, batch_size=len(array) if fixed else None, name=name))
    return keras.Model(symbols, layer(*symbols))


def _converter(case: Case) -> tf.lite.TFLiteConverter:
    return tf.lite.TFLiteConverter.from_keras_model(_model(case, fixed=True))


def _interpreted(converter: tf.lite.TFLiteConverter) -> Run:
    """Return a function that runs the converted model; it refuses images of another size, as a phone would."""
    with contextlib.redirect_stdout(io.StringIO()):  # Keras tells what it saved on the way
        content = converter.convert()
    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (result,) = interpreter.get_output_details()

    def run(**given: np.ndarray) -> dict[str, np.ndarray]:
        for each in interpreter.get_input_details():
            interpreter.set_tensor(
                each["index"], given[each["name"].removeprefix("serving_default_").partition(":")[0]]
            )
        interpreter.invoke()
        return {"output": interpreter.get_tensor(result["index"])}

    return run


def _outputs(run: Run, others: Sequence[Case]) -> list[np.ndarray | str]:
    """Run on each case; what it refuses is its sentence."""
    return [_output(run, other) for other in others]


def _output(run: Run, case: Case) -> np.ndarray | str:
    given = dict(zip(_names(case), case.channels_last, strict=True))
    try:
        (output,) = run(**given).values()
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        return f"{type(error).__name__}: {error}"
    return first_channels(np.asarray(output))


def run_sample(sample: str, folder: str) -> None:
    """Run a page's sample in a folder."""
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        exec(compile(sample, "sample", "exec"), {})
