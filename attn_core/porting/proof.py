"""The proof of a port: the new source and the original graph on the same images, number by number."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attn_core import parity
from attn_core.porting.network import original
from attn_core.porting.network.in_tensorflow import Witness
from attn_core.porting.network.steps.steps import Array, Step, canonical
from attn_core.porting.network.truth import Truth, around
from attn_core.porting.port import MODEL, Check, Port
from attn_core.porting.ported import Found
from attn_core.porting.write.targets import RUNNERS

RECORDING = "the recording"
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
    pulls = [canonical(truth.cotangent, port.network.result.axes) for truth in port.truths]
    runner = importlib.import_module(RUNNERS[port.target])
    found = runner.run(str(folder / MODEL), images, pulls)
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
        port.checks.extend(_against_recording(port, runner, folder, recorded))
        port.checks.extend(_recorded_blocks(port, recorded))


def _insensitive(truth: Truth) -> bool:
    """Whether the result stays what it is when the image changes, as that of a saturated softmax does."""
    return abs(truth.slope) <= FLAT * float(np.abs(truth.output * truth.cotangent).sum())


def _size(truth: Truth) -> str:
    return "x".join(map(str, truth.image.shape))


def compared(what: str, against: str, found: Array, wanted: Array, judged: bool = True) -> Check:
    """Compare two arrays."""
    a, b = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    if a.shape != b.shape or not np.isfinite([a, b]).all():
        return Check(what, against, float("inf"), float("inf"), judged)
    absolute, largest = float(np.abs(a - b).max(initial=0.0)), float(np.abs(b).max(initial=0.0))
    return Check(what, against, absolute, absolute / largest if largest else absolute, judged)


def _against_numpy(port: Port, truth: Truth, found: Found) -> Iterator[Check]:
    wanted, where = canonical(truth.output, port.network.result.axes), f"NumPy, {_size(truth)}"
    yield compared("output, float32", where, found.single, wanted)
    yield compared("output, float64", where, found.output, wanted)
    slope = (found.gradient * canonical(truth.direction, port.network.image_axes)).sum()
    yield compared("gradient, one direction", where, slope, np.asarray(truth.slope))


def _against_tensorflow(port: Port, truth: Truth, witness: Witness, found: Found) -> Iterator[Check]:
    where = f"TensorFlow, {_size(truth)}"
    yield compared("output, float32", where, found.single, canonical(witness.output, port.network.result.axes))
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
        weights = _weights(port, steps[step_name])
        found = runtime.run(block, weights, image.astype(np.float32))
        yield compared(f"block {name}", f"NumPy, {_size(truth)}", found.output, output)
        if vain := parity.unproven(block, weights, image):
            port.notes.append(f"{name}: dead on this image, which proves nothing of {', '.join(vain)}")


def _weights(port: Port, step: Step) -> dict[str, Array]:
    return {name: leaf.array(port.network.source.read) for name, leaf in step.arrays.items()}


def _against_recording(port: Port, runner: Any, folder: Path, recorded: Mapping[str, Array]) -> Iterator[Check]:
    """Compare with recorded arrays: `input` and `output`, and pairs such as `input_odd` and `output_odd`."""
    names = [name for name in recorded if name.partition("_")[0] == "input"]
    for name in names:
        wanted = name.replace("input", "output", 1)
        image = canonical(recorded[name], port.network.image_axes)
        if wanted not in recorded:
            continue
        output = canonical(recorded[wanted], port.network.result.axes)
        pull = (
            canonical(recorded["cotangent"], port.network.result.axes)
            if _has_pull(recorded, name)
            else np.zeros_like(output)
        )
        (found,) = runner.run(str(folder / MODEL), [np.asarray(image, np.float64)], [np.asarray(pull, np.float64)])
        yield compared(f"recorded {wanted}, float32", RECORDING, found.single, output)
        if _has_pull(recorded, name) and "grad:input" in recorded:
            gradient = canonical(recorded["grad:input"], port.network.image_axes)
            yield compared("recorded gradient", RECORDING, found.gradient, gradient, False)


def _recorded_blocks(port: Port, recorded: Mapping[str, Array]) -> Iterator[Check]:
    """Compare the i-th attention block with `se<i>_in`, `se<i>_gate`, `se<i>_out`."""
    runtime = parity.runtime(port.target)
    steps = [step for step in port.network.steps if step.name in port.network.inference.blocks]
    for i, step in enumerate(steps):
        if f"se{i}_in" not in recorded:
            continue
        axes = port.network.axes[step.name]
        found = runtime.run(step.fields["block"], _weights(port, step), canonical(recorded[f"se{i}_in"], axes)).arrays()
        name = port.network.called[step.name]
        if f"se{i}_out" in recorded:
            yield compared(f"block {name}", RECORDING, found["output"], canonical(recorded[f"se{i}_out"], axes))
        if f"se{i}_gate" in recorded:
            gate = found["gate:channel"]
            yield compared(f"gate of {name}", RECORDING, gate, recorded[f"se{i}_gate"].reshape(gate.shape))


def _has_pull(recorded: Mapping[str, Array], name: str) -> bool:
    return name == "input" and "cotangent" in recorded
