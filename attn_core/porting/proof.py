"""The proof of a port: the new source and the original graph on the same images, number by number."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from attn_core import parity
from attn_core.porting.network import original
from attn_core.porting.network.heads import in_canonical_order
from attn_core.porting.network.in_tensorflow import Witness
from attn_core.porting.network.steps.steps import Array, canonical
from attn_core.porting.network.truth import Truth, around
from attn_core.porting.port import MODEL, Check, Port, arrays_of, compared
from attn_core.porting.ported import Found
from attn_core.porting.recording_checks import against_recording, recorded_blocks
from attn_core.porting.write.targets import RUNNERS

FLAT = 1e-9  # a slope, as a share of the result, that is none


def prove(port: Port, folder: Path, recorded: Mapping[str, Array] | None = None, tensorflow: bool = True) -> None:
    """Run the source in `folder` beside the original graph, and note every comparison in `port.checks`.

    A source with gaps cannot be run: nothing is compared then.
    """
    if any(step.kind == "unknown" for step in port.network.steps):
        return
    if all(map(_insensitive, port.truths)):
        port.notes.append(
            "the result hardly depends on these images, which proves little; --output takes an earlier one"
        )
    images = [canonical(truth.image, port.network.image_axes) for truth in port.truths]
    pulls = [_result(port, truth, truth.cotangent) for truth in port.truths]
    runner = importlib.import_module(RUNNERS[port.target])
    found = runner.run(str(folder / MODEL), images, pulls, port.network.rank)
    for truth, each in zip(port.truths, found, strict=True):
        port.checks.extend(_against_numpy(port, truth, each))
    if tensorflow and original.installed():
        try:
            witnesses = original.witnesses(port.network.inference, port.network.source, port.truths)
        except original.OriginalError as error:
            port.notes.append(f"TensorFlow could not run the graph ({error}); the NumPy evaluation is the proof")
        else:
            for truth, witness, each in zip(port.truths, witnesses, found, strict=True):
                port.checks.extend(_against_tensorflow(port, truth, witness, each))
    port.checks.extend(_blocks(port))
    if recorded is not None:
        port.checks.extend(against_recording(port, runner, folder, recorded))
        port.checks.extend(recorded_blocks(port, recorded))


def _insensitive(truth: Truth) -> bool:
    """Whether the result stays what it is when the image changes, as that of a saturated softmax does."""
    return abs(truth.slope) <= FLAT * float(np.abs(truth.output * truth.cotangent).sum())


def _result(port: Port, truth: Truth, array: Array) -> Array:
    """Return an array of the result's shape in canonical order; of several results, each of them."""
    network = port.network
    if network.heads:
        return in_canonical_order(array, truth.heads, network.heads)
    return canonical(array, network.result.axes)


def _size(truth: Truth) -> str:
    return "x".join(map(str, truth.image.shape))


def _against_numpy(port: Port, truth: Truth, found: Found) -> Iterator[Check]:
    wanted, where = _result(port, truth, truth.output), f"NumPy, {_size(truth)}"
    yield compared("output, float32", where, found.single, wanted)
    yield compared("output, float64", where, found.output, wanted)
    slope = (found.gradient * canonical(truth.direction, port.network.image_axes)).sum()
    yield compared("gradient, one direction", where, slope, np.asarray(truth.slope))


def _against_tensorflow(port: Port, truth: Truth, witness: Witness, found: Found) -> Iterator[Check]:
    where = f"TensorFlow, {_size(truth)}"
    output = _result(port, truth, witness.output)
    yield compared("output, float32", where, found.single, output, bound=port.witnessed)
    # Not judged: where TensorFlow's float32 turns a relu the other way, a gradient jumps, and neither is wrong.
    yield compared("gradient", where, found.gradient, canonical(witness.gradient, port.network.image_axes), False)


def _blocks(port: Port) -> Iterator[Check]:
    """Run each attention block alone on what it got in the original, and compare what it gave."""
    network, truth = port.network, port.truths[0]
    runtime = parity.runtime(port.target)
    steps = {step.name: step for step in network.steps if step.kind == "attention"}
    for step_name, arrays in around(network.inference, network.source, truth, steps.values()).items():
        block, name = steps[step_name].fields["block"], network.called[step_name]
        image, output = (canonical(array, network.axes[step_name]) for array in arrays)
        weights = arrays_of(port, steps[step_name])
        found = runtime.run(block, weights, image.astype(np.float32))
        yield compared(f"block {name}", f"NumPy, {_size(truth)}", found.output, output)
        if vain := parity.unproven(block, weights, image):
            port.notes.append(f"{name}: dead on this image, which proves nothing of {', '.join(vain)}")
