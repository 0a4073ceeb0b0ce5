"""Each operation of TensorFlow 1 against TensorFlow's own output, its other layout, and its derivative."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from bounds import FLOAT64
from runtimes import in_keras, need
from tensorboard.compat.proto import attr_value_pb2
from tf1_op_cases import CASES, FLOAT32_ONLY, Case

from attn_core.parity import error
from attn_core.porting.graph.graph import Graph, Node, Ref, read_graph
from attn_core.porting.graph.ops import OPS, convolution
from attn_core.porting.graph.ops.evaluate import evaluate

need("keras-tensorflow")

FLOAT32 = 1e-6  # of one operation on numbers of unit scale
STEP = 1e-30
DIFFERENCE = 1e-7  # of a central difference with steps of 1e-6
IN_NETWORKS = {
    *("ReadVariableOp", "RefIdentity", "RefSwitch", "RefMerge", "Switch", "Merge"),  # test_tf1_evaluate
    "Dequantize",  # test_tf1_cases
}
LAYOUTS = {"NHWC": b"NCHW", "NDHWC": b"NCDHW"}
HAVE_LAYOUTS = {
    *("AvgPool", "AvgPool3D", "BiasAdd", "Conv2D", "Conv3D", "DepthToSpace", "DepthwiseConv2dNative", "FusedBatchNorm"),
    *("FusedBatchNormV2", "FusedBatchNormV3", "MaxPool", "MaxPool3D", "MaxPoolV2", "SpaceToDepth"),
}

Arrays = Mapping[str, np.ndarray]


def cases(where: Callable[[Case], bool]) -> pytest.MarkDecorator:
    chosen = [pytest.param(i, id=f"{case.op}-{i}") for i, case in enumerate(CASES) if where(case)]
    return pytest.mark.parametrize("number", chosen)


def is_smooth(case: Case) -> bool:
    return case.smooth and any(array.dtype.kind == "f" for array in case.arrays().values())


every = cases(lambda case: True)
smooth = cases(is_smooth)
with_layout = cases(lambda case: case.op in HAVE_LAYOUTS)


@cache
def recorded(number: int) -> tuple[Graph, Graph, list[np.ndarray]]:
    """Return the graph with one operation that TensorFlow wrote, the same without defaults, and what came out."""
    found = in_keras("tensorflow", "tf1_ops_checks", "record", CASES[number])
    return graph_of(found.graph), graph_of(found.bare), found.outputs


def graph_of(definition: bytes) -> Graph:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "graph.pb"
        path.write_bytes(definition)
        return read_graph(path)


def as_type(arrays: Arrays, dtype: str) -> Arrays:
    return {name: x.astype(dtype) if x.dtype.kind == "f" else x for name, x in arrays.items()}


def run(graph: Graph, arrays: Arrays, count: int) -> list[np.ndarray]:
    refs = [Ref("op", output) for output in range(count)]
    values = evaluate(graph, {Ref(name): array for name, array in arrays.items()}, refs)
    return [values[ref] for ref in refs]


def called(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    with np.errstate(all="ignore"):
        found = OPS[node.op](node, tuple(inputs))
    return [np.asarray(each) for each in (found if isinstance(found, tuple) else (found,))]


def test_every_operation_has_a_case() -> None:
    assert {case.op for case in CASES} | IN_NETWORKS == set(OPS)


# Against TensorFlow


@every
def test_agrees_with_tensorflow(number: int) -> None:
    case, (graph, bare, outputs) = CASES[number], recorded(number)
    bound = FLOAT32 if case.op in FLOAT32_ONLY else FLOAT64
    for each in (graph, bare):
        for ours, theirs in zip(run(each, case.arrays(), len(outputs)), outputs, strict=True):
            assert ours.dtype == theirs.dtype
            assert error(ours, theirs) <= bound


@every
def test_single_precision_stays(number: int) -> None:
    case, (graph, _, outputs) = CASES[number], recorded(number)
    if case.op == "Cast":  # its result has the type that it names
        return
    for ours, theirs in zip(run(graph, as_type(case.arrays(), "float32"), len(outputs)), outputs, strict=True):
        assert ours.dtype == ("float32" if theirs.dtype.kind == "f" else theirs.dtype)
        assert error(ours, theirs) <= FLOAT32


# Derivatives


@smooth
def test_complex_steps_are_derivatives(number: int) -> None:
    node, arrays = recorded(number)[0].nodes["op"], as_type(CASES[number].arrays(), "float64")
    rng = np.random.default_rng(0)
    steps = {name: rng.normal(size=x.shape) if x.dtype.kind == "f" else None for name, x in arrays.items()}

    def results(size: complex) -> list[np.ndarray]:
        moves = ((x, steps[name]) for name, x in arrays.items())
        return called(node, [x if step is None else x + size * step for x, step in moves])

    for plain, carried, after, before in zip(
        results(0), results(STEP * 1j), results(1e-6), results(-1e-6), strict=True
    ):
        assert error(carried.real, plain) <= FLOAT64
        if plain.dtype.kind == "f":
            slope = 0 * plain if node.op == "StopGradient" else (after - before) / 2e-6
            assert error(carried.imag / STEP, slope) <= DIFFERENCE


def test_a_cast_between_floats_keeps_a_precise_run_precise() -> None:
    """A network that computes in float32 may cast to float32; run in float64, it should not lose digits there."""
    types = {"SrcT": attr_value_pb2.AttrValue(type=1), "DstT": attr_value_pb2.AttrValue(type=19)}
    node = Node("cast", "Cast", (), types)
    for dtype, wanted in (("float32", "float16"), ("float64", "float64"), ("complex128", "complex128")):
        assert called(node, [np.array([0.1], dtype)])[0].dtype == wanted
    assert called(node, [np.array([0.1 + 1e-30j])])[0].imag == 1e-30


# What TensorFlow computes on no processor, by what it does compute


def numbers(values: Any) -> Any:
    return attr_value_pb2.AttrValue(list=attr_value_pb2.AttrValue.ListValue(i=[int(value) for value in values]))


def second(values: Any) -> list[Any]:
    """Return what speaks of each axis, the last of which becomes the second."""
    return [values[0], values[-1], *values[1:-1]]


@with_layout
def test_channels_first(number: int) -> None:
    node, (image, *others) = recorded(number)[0].nodes["op"], CASES[number].arrays().values()
    attributes = dict(node.attributes)
    attributes["data_format"] = attr_value_pb2.AttrValue(s=LAYOUTS[node.attributes["data_format"].s.decode()])
    for name in {"strides", "dilations", "ksize"} & set(attributes):
        attributes[name] = numbers(second(attributes[name].list.i))
    if sides := "explicit_paddings" in attributes and attributes["explicit_paddings"].list.i:
        attributes["explicit_paddings"] = numbers(np.ravel(second(np.reshape(sides, (-1, 2)))))
    moved = [np.array(second(each)) for each in others] if node.op == "MaxPoolV2" else others
    wanted, *rest = called(node, [image, *others])
    found, *others = called(replace(node, attributes=attributes), [np.moveaxis(image, -1, 1), *moved])
    bound = FLOAT32 if image.dtype == np.float32 else FLOAT64
    assert error(np.moveaxis(found, 1, -1), wanted) <= bound
    assert all(error(a, b) <= bound for a, b in zip(others, rest, strict=True))


@pytest.mark.parametrize("padding", [b"SAME", b"VALID"])
@pytest.mark.parametrize("sizes", [(9, 12), (10, 11)])
def test_dilated_depthwise_is_a_grouped_convolution(padding: bytes, sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, *sizes, 3)), rng.normal(size=(3, 2, 3, 4))
    attributes = {"strides": numbers([1, 1, 1, 1]), "dilations": numbers([1, 2, 3, 1])}
    attributes["padding"] = attr_value_pb2.AttrValue(s=padding)
    (found,) = called(Node("a", "DepthwiseConv2dNative", (), attributes), [x, kernel])
    (wanted,) = called(Node("b", "Conv2D", (), attributes), [x, kernel.reshape(3, 2, 1, 12)])
    assert error(found, wanted) <= FLOAT64


def test_large_batches_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    attributes = {"strides": numbers([1, 2, 1, 1]), "padding": attr_value_pb2.AttrValue(s=b"SAME")}
    node, inputs = Node("a", "Conv2D", (), attributes), [rng.normal(size=(5, 7, 6, 4)), rng.normal(size=(3, 3, 2, 4))]
    (whole,) = called(node, inputs)
    monkeypatch.setattr(convolution, "_MOST", 2 * inputs[0][0].size)
    (parts,) = called(node, inputs)
    assert error(parts, whole) <= FLOAT64
