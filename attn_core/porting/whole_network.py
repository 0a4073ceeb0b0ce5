"""Porting a whole TensorFlow 1 network: read, write as source, run beside the original, keep if they agree."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import safetensors.numpy

from attn_core.porting.asked import options as options
from attn_core.porting.folder import replacing
from attn_core.porting.graph.graph import Graph, read_graph
from attn_core.porting.graph.ops import OPS
from attn_core.porting.keras.graph import is_keras_model, read_keras_model
from attn_core.porting.network.clean import rebuilt
from attn_core.porting.network.inference import Inference, Options, inference_part
from attn_core.porting.network.network import Network, lifted
from attn_core.porting.network.saved_names import saved_names
from attn_core.porting.network.source import Source
from attn_core.porting.network.steps.axes import is_image
from attn_core.porting.network.steps.steps import Step, canonical
from attn_core.porting.network.truth import Truth, truths
from attn_core.porting.port import BOUND, MODEL, Port
from attn_core.porting.write.plan import plan
from attn_core.porting.write.preface import Preface
from attn_core.porting.write.state import Place, state
from attn_core.porting.write.structure import structured
from attn_core.porting.write.targets import WRITERS, layout_of
from attn_core.weights.files.tf1.checkpoint import Checkpoint
from attn_core.weights.files.tf1.errors import CheckpointError
from attn_core.weights.files.tf1.locate import locate

MANIFEST, WEIGHTS = "port.json", "weights.safetensors"


class UnknownStepsError(ValueError):
    """Operations that have no counterpart; the message names each with what is around it."""


def has_graph(path: Path) -> bool:
    """Whether a network's graph lies at this path or beside the checkpoint at it; a Keras model says it otherwise."""
    return is_keras_model(path) or _graph_at(path) is not None


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


def _read(path: Path, options: Options, averages: bool) -> tuple[Inference, Source]:
    """Read the part of the graph that matters, and say where its weights are."""
    if is_keras_model(path):
        graph, arrays = read_keras_model(path)
        inference = inference_part(graph, options)
        return inference, Source(inference.original, arrays, averages)
    graph_path = _graph_at(path)
    if graph_path is None:
        raise CheckpointError(f"{path} has no graph: give a checkpoint with its .meta, a frozen .pb or a SavedModel.")
    frozen = graph_path.suffix == ".pb" and not (graph_path.parent / "variables").is_dir()
    checkpoint = None if frozen else Checkpoint(locate(path.parent if path.name == "saved_model.pb" else path))
    graph = read_graph(graph_path)
    inference = inference_part(graph, options)
    saved_as = saved_names(graph, list(checkpoint)) if checkpoint else {}
    return inference, Source(inference.original, checkpoint, averages, saved_as)


def takes_maxima(path: Path) -> bool:
    """Whether there is a graph, of TensorFlow 1, that reduces something to its maxima, as CBAM's gates do."""
    graph_path = None if is_keras_model(path) else _graph_at(path)
    return graph_path is not None and any(node.op == "Max" for node in read_graph(graph_path).nodes.values())


def network(path: Path, *, averages: bool = True) -> Network:
    """Return the steps of a network, with gaps where an operation has no counterpart; its source is not written.

    **Raises** `CheckpointError`, `BoundaryError`, `SizeError`.
    """
    steps, _ = _ran(path, Options(), averages, allow_unknown=True)
    return steps


def read(path: Path, target: str, options: Options, *, averages: bool = True, allow_unknown: bool = False) -> Port:
    """Read a network and write its source; nothing is compared yet.

    **Raises** `CheckpointError`, `BoundaryError`, `SizeError`, `UnknownStepsError`: the network cannot be ported.
    """
    steps, seen = _ran(path, options, averages, allow_unknown)
    unknown = [step for step in steps.steps if step.kind == "unknown"]
    if unknown and not allow_unknown:
        raise UnknownStepsError(_unknown(steps.inference.graph, unknown))
    return written_as(path, target, steps, seen)


def _ran(path: Path, options: Options, averages: bool, allow_unknown: bool) -> tuple[Network, list[Truth]]:
    """Run a graph, and turn it into steps."""
    inference, source = _read(path, options, averages)
    inference = _tolerant(inference) if allow_unknown else inference
    seen, observed = truths(inference, source, options.size)
    return lifted(inference, source, observed), seen


def written_as(path: Path, target: str, network: Network, seen: list[Truth]) -> Port:
    """Write the source of a network that was read; `seen` is what its graph computed."""
    writer = WRITERS[target]
    planned = plan(structured(network.steps, "x", network.result.step))
    arrays, places = state(network, planned.places, writer.convention)
    image = canonical(seen[0].image, network.image_axes)
    _, channels, *space = image.shape
    shape = (1, *space, channels) if is_image(image.ndim, network.rank) else image.shape
    origin = _origin(path, network.inference.graph, target)
    text = writer(planned, shape, network.rank).text(
        Preface(origin, tuple(_dropped(network)), layout_of(target, network.rank))
    )
    port = Port(path, target, network, text, arrays, places, seen)
    port.notes.extend(_notes(network, seen))
    if copied := [name for name, where in _by_variable(places).items() if len(where) > 1]:
        port.notes.append(
            f"{len(copied)} variables are read in several places, which have a copy each: {copied[0]}, ..."
        )
    return port


def _tolerant(inference: Inference) -> Inference:
    """Let operations that even the NumPy evaluation does not know pass their first input on, to see what follows."""
    nodes = (
        replace(node, op="Identity", inputs=node.inputs[:1]) if node.inputs and node.op not in OPS else node
        for node in inference.original.nodes.values()
    )
    return replace(inference, original=rebuilt(inference.original, nodes))


def _unknown(graph: Graph, unknown: list[Step]) -> str:
    def around(step: Step) -> str:
        node = graph.nodes[step.name]
        reads = ", ".join(f"{ref.node!r}" for ref in node.inputs[:3]) or "nothing"
        readers = ", ".join(f"{each.name!r}" for each in graph.consumers.get(step.name, ())[:3]) or "the result"
        return f"{step.fields['op']} at {step.name!r} (reads {reads}; read by {readers}): {step.fields['reason']}"

    shown = "; ".join(around(step) for step in unknown[:5])
    more = f"; and {len(unknown) - 5} more" if len(unknown) > 5 else ""
    return (
        f"{graph.path}: {len(unknown)} operation{'s' * (len(unknown) > 1)} without a counterpart: {shown}{more}. "
        "--allow-unknown writes the rest, --blocks ports the attention blocks alone."
    )


def _origin(path: Path, graph: Graph, target: str) -> str:
    made = f"attn port --to {target} {version('attn-blocks')}"
    return f"A network ported from TensorFlow 1 by {made}: {path.name}, graph {graph.source}."


def _dropped(network: Network) -> Iterator[str]:
    if count := network.inference.dropped:
        yield f"{count} nodes of the graph that the result does not need"
    if aside := network.source.known.aside:
        yield f"{len(aside)} variables of the training (optimizer slots, counters)"
    yield from (each for each in network.inference.decisions if each.startswith("dropout"))


def _notes(network: Network, seen: list[Truth]) -> Iterator[str]:
    source = network.source
    yield from network.inference.decisions
    yield from network.notes
    if source.saved_as:
        variable, name = next(iter(source.saved_as.items()))
        count = len(source.saved_as)
        yield f"{count} variables have other names in the file, as its saver states: {variable} is {name}"
    averaged = sorted(name for name, taken in source.taken.items() if name != taken and "Average" in taken)
    if averaged:
        yield f"took the moving averages of {len(averaged)} variables (--no-averages takes the variables)"
    if seen[0].image.shape[1:] == seen[1].image.shape[1:]:
        yield f"compared at one size only: the graph does not run on images other than {list(seen[0].image.shape[1:])}"
    unknown = [step for step in network.steps if step.kind == "unknown"]
    yield from (f"left out, {step.fields['op']} at {step.name!r}: {step.fields['reason']}" for step in unknown)


# ---- files -----------------------------------------------------------------------------------------------------------


def write(port: Port, out: Path, prove: Callable[[Path], None]) -> None:
    """Write the three files, all or nothing: what `prove` raises on the way leaves `out` as it was."""
    with replacing(out, MANIFEST) as folder:
        (folder / MODEL).write_text(port.source)
        safetensors.numpy.save_file(port.arrays, folder / WEIGHTS, metadata={"made_by": "attn port"})
        (folder / WEIGHTS).chmod((folder / MODEL).stat().st_mode)  # which safetensors keeps to its owner
        port.arrays = {}
        prove(folder)
        (folder / MANIFEST).write_text(json.dumps(report(port), indent=2) + "\n")


def _by_variable(places: Iterable[Place]) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for place in places:
        for variable in place.variables:
            found.setdefault(variable, []).append(place)
    return found


def report(port: Port) -> dict[str, Any]:
    """Return what `port.json` holds."""
    graph = port.network.inference.graph
    return {
        "made_by": f"attn port {version('attn-blocks')}",
        "source": str(port.path),
        "graph": graph.source,
        "target": port.target,
        "bound": BOUND,
        "files": [MODEL, WEIGHTS],
        "input": port.network.inference.image.node,
        "output": port.network.inference.output.node,
        "variables": {
            variable: {"weights": [place.name for place in places], "shape": list(places[0].shape)}
            for variable, places in _by_variable(port.places).items()
        },
        "dropped_variables": list(port.network.source.known.aside),
        "operations": dict(sorted(Counter(node.op for node in graph.nodes.values()).items())),
        "steps": dict(sorted(Counter(step.kind for step in port.network.steps).items())),
        "checks": [
            {"what": c.what, "against": c.against, "absolute": c.absolute, "relative": c.relative}
            | {"judged": c.judged, "bound": c.bound}
            for c in port.checks
        ],
        "decisions": port.notes,
    }
