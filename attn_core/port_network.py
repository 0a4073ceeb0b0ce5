"""Porting a whole TensorFlow 1 network: read, write as source, run beside the original, keep if they agree."""

from __future__ import annotations

import importlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from attn_core import parity
from attn_core.folder import replacing
from attn_core.ported import Found
from attn_core.tf1.checkpoint import Checkpoint
from attn_core.tf1.errors import CheckpointError
from attn_core.tf1.graph import Graph, Ref, read_graph
from attn_core.tf1.locate import locate
from attn_core.tf1.network import original
from attn_core.tf1.network.network import Network, Options, Part, inference_part, lifted
from attn_core.tf1.network.source import Source
from attn_core.tf1.network.steps import Array, Step
from attn_core.tf1.network.truth import Truth, truths
from attn_core.tf1.write.common import Head
from attn_core.tf1.write.plan import plan
from attn_core.tf1.write.state import Place, state
from attn_core.tf1.write.structure import structured
from attn_core.tf1.write.targets import LAYOUTS, RUNNERS, WRITERS

MANIFEST, MODEL, WEIGHTS = "port.json", "model.py", "weights.safetensors"
RECORDING = "the recording"
FLAT = 1e-9  # a slope, as a share of the result, that is none
BOUND = 1e-5  # largest error of a check, in the units of `parity.error`


class UnknownStepsError(ValueError):
    """Operations that have no counterpart; the message names each with what is around it."""


@dataclass(frozen=True)
class Check:
    """One comparison: of what, with what, and the largest difference, absolute and relative to the largest number.

    `judged` tells whether the port fails when the error is beyond the bound.
    """

    what: str
    against: str
    absolute: float
    relative: float
    judged: bool = True

    @property
    def passed(self) -> bool:
        """Whether the error is within the bound: absolute, or relative where numbers are above 1."""
        return not self.judged or min(self.absolute, self.relative) <= BOUND


@dataclass
class Port:
    """A ported network: its files' contents, and how far it is from the original."""

    path: Path
    target: str
    network: Network
    source: str
    arrays: dict[str, Array]
    places: list[Place]
    truths: list[Truth]
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every comparison is within the bound."""
        return all(check.passed for check in self.checks)


def options(image: str | None, output: str | None, settings: Sequence[str], size: str | None) -> Options:
    """Read a user's words; `settings` are texts such as keep_prob=1, `size` is one such as 224,224."""
    values = dict(_setting(text) for text in settings)
    numbers = tuple(int(n) for n in size.split(",") if n.strip().isdigit()) if size else None
    if numbers is not None and (len(numbers) != 2 or min(numbers) < 1):
        raise ValueError(f"{size!r} is no size: give height and width, as 224,224.")
    return Options(image, output, values, numbers)


def _setting(text: str) -> tuple[str, float | bool]:
    name, _, value = text.partition("=")
    known = {"true": True, "false": False}
    try:
        return name, known[value.lower()] if value.lower() in known else float(value)
    except ValueError:
        raise ValueError(f"{text!r} is no setting: give a placeholder and its value, as keep_prob=1.") from None


def has_graph(path: Path) -> bool:
    """Whether a network's graph lies at this path or beside the checkpoint at it."""
    return _graph_at(path) is not None


def _graph_at(path: Path) -> Path | None:
    if path.is_file() and path.suffix == ".pb":
        return path
    if (path / "saved_model.pb").is_file():
        return path / "saved_model.pb"
    try:
        found = locate(path)
    except (OSError, CheckpointError):
        return None
    return found.saved_model or found.meta


def _read(path: Path, averages: bool) -> tuple[Graph, Callable[[Graph], Source]]:
    """Read the graph, and say where its weights are."""
    graph_path = _graph_at(path)
    if graph_path is None:
        raise CheckpointError(f"{path} has no graph: give a checkpoint with its .meta, a frozen .pb or a SavedModel.")
    frozen = graph_path.suffix == ".pb" and not (graph_path.parent / "variables").is_dir()
    checkpoint = None if frozen else Checkpoint(locate(path.parent if path.name == "saved_model.pb" else path))
    return read_graph(graph_path), lambda graph: Source(graph, checkpoint, averages)


def read(path: Path, target: str, options: Options, *, averages: bool = True, allow_unknown: bool = False) -> Port:
    """Read a network and write its source; nothing is compared yet.

    **Raises** `CheckpointError`, `BoundaryError`, `SizeError`, `UnknownStepsError`: the network cannot be ported.
    """
    graph, opened = _read(path, averages)
    part = inference_part(graph, options)
    source = opened(part.original)
    seen, trace = truths(part, source, options.size)
    network = lifted(part, source, trace)
    unknown = [step for step in network.steps if step.kind == "unknown"]
    if unknown and not allow_unknown:
        raise UnknownStepsError(_unknown(part, unknown))
    writer = WRITERS[target]
    planned = plan(structured(network.steps, "x", network.result.step))
    arrays, places = state(network, planned.places, writer.naming)
    image = canonical(seen[0].image, network.image_axes)
    shape = (1, *image.shape[2:], image.shape[1]) if image.ndim == 4 else image.shape
    text = writer(planned, shape).text(Head(_origin(path, graph, target), tuple(_dropped(network)), LAYOUTS[target]))
    port = Port(path, target, network, text, arrays, places, seen)
    port.notes.extend(_notes(part, network, source, unknown, seen))
    return port


def _unknown(part: Part, unknown: list[Step]) -> str:
    def around(step: Step) -> str:
        node = part.graph.nodes[step.name]
        reads = ", ".join(f"{ref.node!r}" for ref in node.inputs[:3]) or "nothing"
        readers = ", ".join(f"{each.name!r}" for each in part.graph.consumers.get(step.name, ())[:3]) or "the result"
        return f"{step.fields['op']} at {step.name!r} (reads {reads}; read by {readers}): {step.fields['reason']}"

    shown = "; ".join(around(step) for step in unknown[:5])
    more = f"; and {len(unknown) - 5} more" if len(unknown) > 5 else ""
    return (
        f"{part.graph.path}: {len(unknown)} operation{'s' * (len(unknown) > 1)} without a counterpart: {shown}{more}. "
        "--allow-unknown writes the rest, --blocks ports the attention blocks alone."
    )


def canonical(array: Array, axes: tuple[int, ...]) -> Array:
    """Put a graph's array into canonical order."""
    return np.ascontiguousarray(array.transpose(np.argsort(axes))) if len(axes) == array.ndim else array


def _origin(path: Path, graph: Graph, target: str) -> str:
    made = f"attn port --to {target} {version('attn-blocks')}"
    return f"A network ported from TensorFlow 1 by {made}: {path.name}, graph {graph.source}."


def _dropped(network: Network) -> Iterator[str]:
    if count := network.part.dropped:
        yield f"{count} nodes of the graph that the result does not need"
    if aside := network.source.known.aside:
        yield f"{len(aside)} variables of the training (optimizer slots, counters)"
    yield from (each for each in network.part.decisions if each.startswith("dropout"))


def _notes(part: Part, network: Network, source: Source, unknown: list[Step], seen: list[Truth]) -> Iterator[str]:
    yield from part.decisions
    yield from network.notes
    averaged = sorted(name for name, taken in source.taken.items() if name != taken and "Average" in taken)
    if averaged:
        yield f"took the moving averages of {len(averaged)} variables (--no-averages takes the variables)"
    if seen[0].image.shape[1:] == seen[1].image.shape[1:]:
        yield f"compared at one size only: the graph does not run on images other than {list(seen[0].image.shape[1:])}"
    yield from (f"left out, {step.fields['op']} at {step.name!r}: {step.fields['reason']}" for step in unknown)


# ---- proof -----------------------------------------------------------------------------------------------------------


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
            witnesses = original.witnesses(port.network.part, port.network.source, port.truths)
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


def _against_tensorflow(port: Port, truth: Truth, witness: original.Witness, found: Found) -> Iterator[Check]:
    where = f"TensorFlow, {_size(truth)}"
    yield compared("output, float32", where, found.single, canonical(witness.output, port.network.result.axes))
    # Not judged: where TensorFlow's float32 turns a relu the other way, a gradient jumps, and neither is wrong.
    yield compared("gradient", where, found.gradient, canonical(witness.gradient, port.network.image_axes), False)


def _blocks(port: Port) -> Iterator[Check]:
    """Run each attention block alone on what it got in the original, and compare what it gave."""
    runtime = parity.runtime(port.target)
    for step in port.network.steps:
        if step.kind != "attention" or step.name not in port.truths[0].blocks:
            continue
        image, output = (canonical(a, _axes(port, step)) for a in port.truths[0].blocks[step.name])
        weights = {name: leaf.array(port.network.source.read) for name, leaf in step.arrays.items()}
        found = runtime.run(step.fields["block"], weights, image.astype(np.float32))
        yield compared(
            f"block {port.network.called[step.name]}", f"NumPy, {_size(port.truths[0])}", found.output, output
        )
        if vain := parity.unproven(step.fields["block"], weights, image):
            port.notes.append(
                f"{port.network.called[step.name]}: dead on this image, which proves nothing of {', '.join(vain)}"
            )


def _axes(port: Port, step: Step) -> tuple[int, ...]:
    axis = port.network.part.blocks[step.name].pool.axis
    return (0, 1, 2, 3) if axis == 1 else (0, 2, 3, 1)


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
    steps = [step for step in port.network.steps if step.kind == "attention" and step.name in port.network.called]
    for i, step in enumerate(steps):
        if f"se{i}_in" not in recorded:
            continue
        weights = {name: leaf.array(port.network.source.read) for name, leaf in step.arrays.items()}
        axes = _axes(port, step)
        found = runtime.run(step.fields["block"], weights, canonical(recorded[f"se{i}_in"], axes)).arrays()
        name = port.network.called[step.name]
        if f"se{i}_out" in recorded:
            yield compared(f"block {name}", RECORDING, found["output"], canonical(recorded[f"se{i}_out"], axes))
        if f"se{i}_gate" in recorded:
            gate = found["gate:channel"]
            yield compared(f"gate of {name}", RECORDING, gate, recorded[f"se{i}_gate"].reshape(gate.shape))


def _has_pull(recorded: Mapping[str, Array], name: str) -> bool:
    return name == "input" and "cotangent" in recorded


# ---- files -----------------------------------------------------------------------------------------------------------


def write(port: Port, out: Path, prove_in: Callable[[Path], None]) -> None:
    """Write the three files, all or nothing: what `prove_in` raises on the way leaves `out` as it was."""
    with replacing(out, MANIFEST) as folder:
        (folder / MODEL).write_text(port.source)
        safetensors.numpy.save_file(port.arrays, folder / WEIGHTS, metadata={"made_by": "attn port"})
        (folder / WEIGHTS).chmod((folder / MODEL).stat().st_mode)  # which safetensors keeps to its owner
        port.arrays = {}
        prove_in(folder)
        (folder / MANIFEST).write_text(json.dumps(report(port), indent=2) + "\n")


def report(port: Port) -> dict[str, Any]:
    """Return what `port.json` holds."""
    graph = port.network.part.graph
    return {
        "made_by": f"attn port {version('attn-blocks')}",
        "source": str(port.path),
        "graph": graph.source,
        "target": port.target,
        "bound": BOUND,
        "files": [MODEL, WEIGHTS],
        "input": port.network.part.image.node,
        "output": port.network.part.output.node,
        "variables": {
            variable: {"weight": place.name, "shape": list(place.shape)}
            for place in port.places
            for variable in place.variables
        },
        "dropped_variables": list(port.network.source.known.aside),
        "operations": dict(sorted(Counter(node.op for node in graph.nodes.values()).items())),
        "steps": dict(sorted(Counter(step.kind for step in port.network.steps).items())),
        "checks": [
            {"what": c.what, "against": c.against, "absolute": c.absolute, "relative": c.relative, "judged": c.judged}
            for c in port.checks
        ],
        "decisions": port.notes,
    }


__all__ = ["BOUND", "Check", "Options", "Port", "Ref", "UnknownStepsError", "has_graph", "prove", "read", "write"]
