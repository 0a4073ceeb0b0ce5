"""Mutants: a porter whose own steps are wrong, and graphs that somebody changed.

Neither may end in a network that calls itself proven and is not equal to what judges it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto import node_def_pb2

from attn_core.porting.network.network import Network
from attn_core.porting.network.steps.lift import alive
from attn_core.porting.network.steps.steps import Step
from attn_core.weights.files.tf1 import protos

Random = np.random.Generator

# ---- of the porter's steps -------------------------------------------------------------------------------------------


def of_steps(network: Network, rng: Random) -> tuple[str, Network]:
    """Change one thing in the steps of a network that was read; return what, and the network."""
    steps = {step.name: step for step in network.steps}
    way = _WAYS[rng.integers(len(_WAYS))]
    said, changed = way(steps, network.result.step, rng)
    end = network.result.step if network.result.step in changed else list(changed)[-1]
    result = replace(network.result, step=end)
    return said, replace(network, steps=tuple(alive(changed, end)), result=result)


def _dropped(steps: dict[str, Step], end: str, rng: Random) -> tuple[str, dict[str, Step]]:
    """Leave a step out: what reads it reads one of its inputs."""
    step = _one_of([step for step in steps.values() if step.name != end], rng)
    source = _one_of(step.inputs, rng)
    left = {name: each for name, each in steps.items() if each is not step}
    return f"{step.kind} {step.name} dropped for {source}", _renamed(left, step.name, source)


def _dead(steps: dict[str, Step], end: str, rng: Random) -> tuple[str, dict[str, Step]]:
    """Mark a branch dead where two meet."""
    joints = [step for step in steps.values() if len(step.inputs) > 1 and step.name != end]
    if not joints:
        return _dropped(steps, end, rng)
    joint = _one_of(joints, rng)
    source = _one_of(joint.inputs, rng)
    left = {name: each for name, each in steps.items() if each is not joint}
    return f"of {joint.name}, {source} alone is alive", _renamed(left, joint.name, source)


def _exchanged(steps: dict[str, Step], end: str, rng: Random) -> tuple[str, dict[str, Step]]:
    """Exchange the inputs of a step, or what two steps read."""
    del end
    first, second = (_one_of(list(steps.values()), rng) for _ in range(2))
    if first is second:
        turned = replace(first, inputs=first.inputs[::-1])
        return f"inputs of {first.name} exchanged", steps | {first.name: turned}
    pair = {
        first.name: replace(first, inputs=(second.inputs[0], *first.inputs[1:])),
        second.name: replace(second, inputs=(first.inputs[0], *second.inputs[1:])),
    }
    return f"{first.name} and {second.name} read each other's input", steps | pair


_WAYS: tuple[Callable[[dict[str, Step], str, Random], tuple[str, dict[str, Step]]], ...] = (_dropped, _dead, _exchanged)


def _renamed(steps: dict[str, Step], old: str, new: str) -> dict[str, Step]:
    def renamed(step: Step) -> Step:
        return replace(step, inputs=tuple(new if name == old else name for name in step.inputs))

    return {name: renamed(step) for name, step in steps.items()}


def _one_of(choices: Any, rng: Random) -> Any:
    return choices[rng.integers(len(choices))]


# ---- of the file -----------------------------------------------------------------------------------------------------

GONE = "Gone"
_SAME_SHAPE = ("Relu", "Relu6", "Sigmoid", "Tanh", "Elu", "Neg", "Identity", "Softplus")
_PAIRS = {
    "Add": "Mul", "AddV2": "Mul", "Mul": "Add", "Sub": "Add", "Mean": "Max", "Max": "Mean", "MaxPool": "AvgPool",
    "AvgPool": "MaxPool", "Softmax": "Sigmoid",
}  # fmt: skip


def of_file(meta: Path, inside: Collection[str], rng: Random) -> tuple[str, bytes]:
    """Change one thing in a `.meta`, among the nodes `inside`; return what, and the file's content."""
    found = protos.parse(protos.MetaGraph, meta.read_bytes(), str(meta))
    definition = found.graph_def
    nodes = {node.name: node for node in map(node_def_pb2.NodeDef.FromString, definition.node)}
    changes = list(_changes(nodes, [name for name in nodes if name in inside], rng))
    said, change = _one_of(changes, rng)
    change()
    definition.ClearField("node")
    definition.node.extend(node.SerializeToString() for node in nodes.values() if node.op != GONE)
    return said, bytes(found.SerializeToString())


def _changes(nodes: Mapping[str, Any], inside: list[str], rng: Random) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield one change of each kind, at a place of its own."""
    computing = [name for name in inside if nodes[name].input]
    joints = [name for name in computing if len(nodes[name].input) > 1]
    stated = [name for name in computing if set(nodes[name].attr) & {*_CHANGED}]
    constants = [name for name in inside if nodes[name].op == "Const"]
    swappable = [name for name in computing if nodes[name].op in (*_SAME_SHAPE, *_PAIRS)]
    for kind, names, change in (
        ("inputs exchanged", joints, _swap),
        ("passed by", computing, lambda node, rng: _pass_by(nodes, node)),
        ("another input", computing, lambda node, rng: _rewire(node, inside, rng)),
        ("attribute", stated, _restate),
        ("constant", constants, _renumber),
        ("operation", swappable, _reoperate),
        ("gone", computing, lambda node, rng: setattr(node, "op", GONE)),
    ):
        if names:
            node = nodes[_one_of(names, rng)]
            yield f"{kind}: {node.op} {node.name}", lambda change=change, node=node: change(node, rng)


def _swap(node: Any, rng: Random) -> None:
    del rng
    first, second, *others = list(node.input)
    node.ClearField("input")
    node.input.extend([second, first, *others])


def _pass_by(nodes: Mapping[str, Any], gone: Any) -> None:
    """Let what reads a node read what it reads first."""
    source = next((text for text in gone.input if not text.startswith("^")), None)
    for node in nodes.values():
        texts = [source if source and text.partition(":")[0] == gone.name else text for text in node.input]
        node.ClearField("input")
        node.input.extend(texts)


def _rewire(node: Any, inside: list[str], rng: Random) -> None:
    """Let a node read another one that stands before it in the file, so that no circle comes about."""
    before = inside[: inside.index(node.name)] or inside[:1]
    texts = list(node.input)
    texts[rng.integers(len(texts))] = _one_of(before, rng)
    node.ClearField("input")
    node.input.extend(texts)


def _restate(node: Any, rng: Random) -> None:
    """Change an attribute that means something."""
    name = _one_of([name for name in _CHANGED if name in node.attr], rng)
    _CHANGED[name](node.attr[name], rng)


def _lengthen(value: Any, rng: Random) -> None:
    """Change a stride, a dilation or the length of a window, along one axis."""
    if value.list.i:
        place = rng.integers(len(value.list.i))
        value.list.i[place] = 2 if value.list.i[place] == 1 else 1


def _other_padding(value: Any, rng: Random) -> None:
    del rng
    value.s = b"VALID" if value.s == b"SAME" else b"SAME"


def _other_layout(value: Any, rng: Random) -> None:
    del rng
    value.s = b"NCHW" if value.s == b"NHWC" else b"NHWC"


def _larger(value: Any, rng: Random) -> None:
    del rng
    value.f = 10 * value.f + 0.1


def _turned(value: Any, rng: Random) -> None:
    del rng
    value.b = not value.b


_CHANGED: dict[str, Callable[[Any, Random], None]] = {
    "strides": _lengthen, "ksize": _lengthen, "dilations": _lengthen, "padding": _other_padding,
    "data_format": _other_layout, "epsilon": _larger, "alpha": _larger, "keep_dims": _turned, "is_training": _turned,
    "transpose_a": _turned, "transpose_b": _turned, "align_corners": _turned,
}  # fmt: skip


def _renumber(node: Any, rng: Random) -> None:
    """Change one number of a constant."""
    tensor = node.attr["value"].tensor
    values = {"int_val": int, "float_val": float}
    for name in values:
        numbers = getattr(tensor, name)
        if numbers:
            place = rng.integers(len(numbers))
            numbers[place] = numbers[place] + 1 if name == "int_val" else 1.5 * numbers[place] + 0.1
            return
    content = bytearray(tensor.tensor_content)
    if content:
        place = 4 * rng.integers(len(content) // 4)
        content[place] ^= 1
        tensor.tensor_content = bytes(content)


def _reoperate(node: Any, rng: Random) -> None:
    """Make another operation of a node."""
    if node.op in _PAIRS:
        node.op = _PAIRS[node.op]
    else:
        node.op = _one_of([op for op in _SAME_SHAPE if op != node.op], rng)


# ---- TensorFlow, the judge of changed files --------------------------------------------------------------------------


def in_tensorflow(asked: list[tuple[bytes, str, str, dict[str, np.ndarray], np.ndarray]]) -> list[np.ndarray | str]:
    """Run graphs, given with image, result, variables and an image's numbers; or return what TensorFlow says."""
    import tensorflow as tf

    v1 = tf.compat.v1

    def run(graph: Any, x: str, y: str, values: dict[str, np.ndarray], numbers: np.ndarray) -> np.ndarray:
        fed = {graph.get_tensor_by_name(x): numbers}
        for name, value in values.items():
            tensor = graph.get_tensor_by_name(name)
            readers = [each.outputs[0] for each in tensor.consumers() if each.type == "ReadVariableOp"]
            fed.update(dict.fromkeys(readers if tensor.dtype.name == "resource" else [tensor], value))
        with v1.Session(graph=graph) as session:
            return session.run(graph.get_tensor_by_name(y), fed)

    found: list[np.ndarray | str] = []
    for definition, *rest in asked:
        with tf.Graph().as_default() as graph:
            try:
                tf.import_graph_def(v1.GraphDef.FromString(definition), name="")
                found.append(run(graph, *rest))
            except (ValueError, tf.errors.OpError, KeyError) as error:
                found.append(str(error)[:300])
    return found
