"""Comparing a port with arrays that a user recorded when the original network ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attn_core import parity
from attn_core.porting.graph.graph import Ref
from attn_core.porting.graph.ops.evaluate import evaluate
from attn_core.porting.network.heads import apart
from attn_core.porting.network.steps.axes import NHWC
from attn_core.porting.network.steps.steps import Array, canonical
from attn_core.porting.port import MODEL, Check, Port, arrays_of, compared
from attn_core.porting.recorded import RecordingError
from attn_core.weights.files.tf1.errors import CheckpointError

RECORDING = "the recording"
_NEAR = 1e-3  # of the largest number: nearer than other nodes of the graph, where rounding adds up


def against_recording(port: Port, runner: Any, folder: Path, recorded: Mapping[str, Array]) -> Iterator[Check]:
    """Compare with recorded arrays: `input` and `output`, and pairs such as `input_odd` and `output_odd`.

    Of several results, any `output_...` without an input of its own belongs to `input`.

    **Raises** `RecordingError` if an array has another shape than the network's image or result.
    """
    for name in recorded:
        wanted = name.replace("input", "output", 1)
        if name.partition("_")[0] != "input" or wanted not in recorded:
            continue
        if port.network.heads:
            yield from _heads(port, runner, folder, recorded, name)
        else:
            yield from _pair(port, runner, folder, recorded, name, wanted)


def _pair(
    port: Port, runner: Any, folder: Path, recorded: Mapping[str, Array], name: str, wanted: str
) -> Iterator[Check]:
    image = image_of(port, name, recorded[name])
    has_pull = name == "input" and "cotangent" in recorded
    pull = canonical(recorded["cotangent"], port.network.result.axes) if has_pull else None
    (found,) = runner.run(str(folder / MODEL), [image.astype(np.float64)], [pull], port.network.rank)
    output = _output(port, wanted, recorded[wanted], found.single)
    what, pair = _up_to_softmax(wanted, found.single, output, port.witnessed)
    check = compared(what, RECORDING, *pair, bound=port.witnessed)
    yield check
    if not check.passed:
        port.notes.extend(_better(port, wanted, image, recorded[wanted]))
    if has_pull and "grad:input" in recorded:
        gradient = canonical(recorded["grad:input"], port.network.image_axes)
        yield compared("recorded gradient", RECORDING, found.gradient, gradient, False)


# ---- several results -------------------------------------------------------------------------------------------------


def _heads(port: Port, runner: Any, folder: Path, recorded: Mapping[str, Array], name: str) -> Iterator[Check]:
    """Compare each recorded output with the head that it is nearest to."""
    image = image_of(port, name, recorded[name])
    (found,) = runner.run(str(folder / MODEL), [image.astype(np.float64)], [None], port.network.rank)
    heads = dict(zip(port.network.heads, apart(found.single, _head_shapes(port, image)), strict=True))
    for wanted in _outputs(recorded, name):
        checks = [
            compared(f"recorded {wanted}, float32", f"{RECORDING}, {key}", head, output, bound=port.witnessed)
            for key, head in heads.items()
            for output in (recorded[wanted], _from_channels_last(recorded[wanted]))
        ]
        check = min(checks, key=lambda check: check.relative)
        yield check
        if not check.passed:
            port.notes.extend(_better(port, wanted, image, recorded[wanted]))


def _outputs(recorded: Mapping[str, Array], name: str) -> Iterator[str]:
    """Yield what was recorded for an input: its output, and those that have no input of their own."""
    for other in recorded:
        if other.partition("_")[0] != "output":
            continue
        own = other.replace("output", "input", 1)
        if own == name or (name == "input" and own not in recorded):
            yield other


def _head_shapes(port: Port, image: Array) -> list[tuple[int, ...]]:
    """Return the canonical shapes of the heads for an image, which the graph tells."""
    inference, heads = port.network.inference, list(port.network.inference.heads.values())
    given = np.transpose(image, port.network.image_axes).astype(np.float64)
    feeds = inference.feeds(port.network.source, [inference.output]) | {inference.image: given}
    values = evaluate(inference.original, feeds, heads)
    axes = port.network.heads.values()
    return [canonical(values[ref], each).shape for ref, each in zip(heads, axes, strict=True)]


# ---- layouts ---------------------------------------------------------------------------------------------------------


def image_of(port: Port, name: str, array: Array) -> Array:
    """Return a recorded image in canonical order: recorded as the graph has it, or with its channels last."""
    axes = port.network.image_axes
    _, channels, *space = canonical(port.truths[0].image, axes).shape
    if array.ndim == len(axes):
        for image in (canonical(array, axes), _from_channels_last(array)):
            # Of images without channels, the second axis is one of space.
            if image.shape[1] == channels or len(axes) < port.network.rank:
                return image
    held, wanted = list(array.shape), ["N", *("?" for _ in space), channels]
    raise RecordingError(
        f"{name!r} of the recording has the shape {held}; images of this network have "
        f"[{', '.join(map(str, wanted))}], channels last."
    )


def _output(port: Port, name: str, array: Array, found: Array) -> Array:
    """Return a recorded result in canonical order, likewise."""
    for output in (canonical(array, port.network.result.axes), _from_channels_last(array)):
        if output.shape == found.shape:
            return output
    raise RecordingError(
        f"{name!r} of the recording has the shape {list(array.shape)}; the result of the network, "
        f"{port.network.inference.output.node!r}, has {list(found.shape)}, channels first: --output NODE takes another."
    )


def _from_channels_last(array: Array) -> Array:
    return canonical(array, NHWC) if array.ndim == len(NHWC) else np.moveaxis(array, -1, 1) if array.ndim > 1 else array


# ---- another node ----------------------------------------------------------------------------------------------------


def _up_to_softmax(what: str, found: Array, wanted: Array, bound: float) -> tuple[str, tuple[Array, Array]]:
    """Return what to compare: of logits and probabilities, the probabilities of both."""
    pairs = {
        f"recorded {what}, float32": (found, wanted),
        f"recorded {what}, float32, after a softmax": (_softmax(found), wanted),
        f"softmax of the recorded {what}, float32": (found, _softmax(wanted)),
    }
    for said, pair in pairs.items():
        if compared(said, RECORDING, *pair, bound=bound).passed:
            return said, pair
    return next(iter(pairs.items()))


def _softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Array = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def _better(port: Port, name: str, image: Array, wanted: Array) -> Iterator[str]:
    """Yield a sentence on the node of the graph whose output the recording is, if there is one."""
    inference, source = port.network.inference, port.network.source
    errors: dict[Ref, float] = {}

    def watch(ref: Ref, array: Array) -> None:
        if array.shape == wanted.shape:
            errors[ref] = compared("", "", array, wanted).relative

    given = np.transpose(image, port.network.image_axes)
    feeds = inference.feeds(source, [inference.output]) | {inference.image: given.astype(np.float64)}
    try:
        evaluate(inference.original, feeds, [inference.output], watch=watch)
    except CheckpointError:  # not at this size, or not this batch
        return
    best = min(errors, key=errors.__getitem__, default=None)
    if best is not None and errors[best] < _NEAR:
        yield f"the recorded {name} is that of {best.node!r}: --output {best.node} takes it"


# ---- blocks ----------------------------------------------------------------------------------------------------------


def recorded_blocks(port: Port, recorded: Mapping[str, Array]) -> Iterator[Check]:
    """Compare the i-th attention block with `se<i>_in`, `se<i>_gate`, `se<i>_out`."""
    runtime = parity.runtime(port.target)
    steps = [step for step in port.network.steps if step.name in port.network.inference.blocks]
    for i, step in enumerate(steps):
        if f"se{i}_in" not in recorded:
            continue
        axes = port.network.axes[step.name]
        image = canonical(recorded[f"se{i}_in"], axes)
        found = runtime.run(step.fields["block"], arrays_of(port, step), image).arrays()
        name = port.network.called[step.name]
        if f"se{i}_out" in recorded:
            output = canonical(recorded[f"se{i}_out"], axes)
            yield compared(f"block {name}", RECORDING, found["output"], output, bound=port.witnessed)
        if f"se{i}_gate" in recorded:
            gate = found["gate:channel"]
            wanted = recorded[f"se{i}_gate"].reshape(gate.shape)
            yield compared(f"gate of {name}", RECORDING, gate, wanted, bound=port.witnessed)
