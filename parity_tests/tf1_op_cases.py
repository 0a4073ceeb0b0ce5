"""Cases of the operations of TensorFlow 1, on odd and even sizes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

_rng = np.random.default_rng(1)

SIZES = [(7, 9), (8, 6)]
FLOAT32_ONLY = {
    "FusedBatchNorm",
    "FusedBatchNormV2",
    "FusedBatchNormV3",
    "LRN",
    "ResizeBilinear",
    "AvgPool3D",
    "MaxPool3D",
}

SIGNED = "Relu Relu6 Elu Selu Sigmoid Tanh Softplus Softsign Square Neg Abs Sin Cos Erf Floor Ceil Round Rint Sign"
POSITIVE = "Log Log1p Sqrt Rsqrt Reciprocal Inv Exp Expm1"
BINARY = "Add AddV2 Sub Mul RealDiv Div DivNoNan Maximum Minimum SquaredDifference FloorDiv FloorMod"
OF_INTEGERS = "AddV2 Sub Mul Div FloorDiv FloorMod TruncateDiv Maximum Minimum SquaredDifference"
COMPARISONS = "Equal NotEqual Less LessEqual Greater GreaterEqual"


class Case(NamedTuple):
    """An operation with inputs by the names that TensorFlow gives them; a smooth one has a derivative there."""

    op: str
    inputs: Mapping[str, Any]
    attributes: Mapping[str, Any]
    smooth: bool = True

    def rough(self) -> Case:
        return self._replace(smooth=False)

    def named(self) -> dict[str, list[tuple[str, np.ndarray]]]:
        """Return the arrays of each input, each with the name of its placeholder."""
        listed = {key: value if isinstance(value, list) else [value] for key, value in self.inputs.items()}
        return {key: [(f"{key}_{i}", array) for i, array in enumerate(each)] for key, each in listed.items()}

    def arrays(self) -> dict[str, np.ndarray]:
        return {name: array for each in self.named().values() for name, array in each}


def f(*shape: int) -> np.ndarray:
    return _rng.normal(size=shape)


def positive(*shape: int) -> np.ndarray:
    return _rng.uniform(0.5, 2, shape)


def i(*values: Any) -> np.ndarray:
    return np.array(values, np.int32)


def n(value: int) -> np.ndarray:
    return np.array(value, np.int32)


def b(*shape: int) -> np.ndarray:
    return _rng.random(shape) < 0.5


def case(op: str, attributes: Mapping[str, Any] | None = None, /, **inputs: Any) -> Case:
    if op in FLOAT32_ONLY:
        inputs = {key: x.astype(np.float32) if x.dtype == np.float64 else x for key, x in inputs.items()}
    return Case(op, inputs, attributes or {})


def grid() -> Iterator[tuple[tuple[int, int], int, int, str]]:
    return itertools.product(SIZES, (1, 2, 3, 5), (1, 2, 3), ("SAME", "VALID"))


def convolutions() -> Iterator[Case]:
    for (h, w), k, s, padding in grid():
        options = {"strides": [1, s, s, 1], "padding": padding}
        yield case("Conv2D", options, input=f(2, h, w, 3), filter=f(k, k, 3, 4))
        yield case("DepthwiseConv2dNative", options, input=f(2, h, w, 3), filter=f(k, k, 3, 2))
    for (h, w), padding in itertools.product(SIZES, ("SAME", "VALID")):
        options = {"strides": [1, 1, 1, 1], "padding": padding, "dilations": [1, 2, 3, 1]}
        yield case("Conv2D", options, input=f(2, h + 4, w + 4, 3), filter=f(3, 2, 3, 4))
        yield case("Conv2D", {"strides": [1, 2, 1, 1], "padding": padding}, input=f(1, h, w, 2), filter=f(2, 3, 2, 4))
        cubes = {"strides": [1, 1, 2, 3, 1], "padding": padding}
        yield case("Conv3D", cubes, input=f(2, 4, h, w, 2), filter=f(3, 2, 3, 2, 3))
        explicit = {"padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 2, 0, 3, 0, 0]}
        yield case("Conv2D", {"strides": [1, 2, 2, 1], **explicit}, input=f(2, h, w, 3), filter=f(3, 3, 3, 2))
        ones = {"strides": [1, 1, 1, 1], **explicit}
        yield case("DepthwiseConv2dNative", ones, input=f(2, h, w, 3), filter=f(3, 3, 3, 2))
    for groups in (2, 3):
        options = {"strides": [1, 2, 2, 1], "padding": "SAME"}
        yield case("Conv2D", options, input=f(2, 7, 8, 6), filter=f(3, 3, 6 // groups, 12))
    for shape in [(2, 3), (2, 5, 4, 3), (2, 3, 4, 5, 3)]:
        yield case("BiasAdd", value=f(*shape), bias=f(3))


def transposed() -> Iterator[Case]:
    for k, s in itertools.product((1, 2, 3, 4), (1, 2, 3)):
        options = {"strides": [1, s, s, 1], "padding": "SAME"}
        # Of the sizes that a convolution makes 3 x 4 of, the largest, as programs have it, and the smallest.
        for h, w in ((3 * s, 4 * s), (2 * s + 1, 3 * s + 1)):
            sizes = i(2, h, w, 4)
            yield case(
                "Conv2DBackpropInput", options, input_sizes=sizes, filter=f(k, k, 4, 3), out_backprop=f(2, 3, 4, 3)
            )
        sizes, valid = i(2, 2 * s + k, 3 * s + k, 4), {**options, "padding": "VALID"}
        yield case("Conv2DBackpropInput", valid, input_sizes=sizes, filter=f(k, k, 4, 3), out_backprop=f(2, 3, 4, 3))
    cubes = {"strides": [1, 2, 1, 2, 1], "padding": "SAME"}
    given = {"filter": f(3, 2, 3, 2, 3), "out_backprop": f(2, 2, 3, 4, 3)}
    yield case("Conv3DBackpropInputV2", cubes, input_sizes=i(2, 4, 3, 8, 2), **given)


def pools() -> Iterator[Case]:
    for (h, w), k, s, padding in grid():
        options = {"ksize": [1, k, k, 1], "strides": [1, s, s, 1], "padding": padding}
        yield case("AvgPool", options, value=f(2, h, w, 3))
        yield case("MaxPool", options, input=f(2, h, w, 3))
        yield case("MaxPoolV2", {"padding": padding}, input=f(2, h, w, 3), ksize=i(1, k, k, 1), strides=i(1, s, s, 1))
    for (h, w), padding in itertools.product(SIZES, ("SAME", "VALID")):
        uneven = {"ksize": [1, 2, 3, 1], "strides": [1, 3, 2, 1], "padding": padding}
        yield case("AvgPool", uneven, value=f(2, h, w, 3))
        yield case("MaxPool", uneven, input=f(2, h, w, 3))
        cubes = {"ksize": [1, 2, 2, 3, 1], "strides": [1, 1, 2, 2, 1], "padding": padding}
        yield case("AvgPool3D", cubes, input=f(2, 4, h, w, 2))
        yield case("MaxPool3D", cubes, input=f(2, 4, h, w, 2))
    around = {"padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 0, 2, 1, 0, 0]}
    yield case("MaxPool", {"ksize": [1, 3, 3, 1], "strides": [1, 2, 2, 1], **around}, input=f(2, 7, 8, 3))
    channels = {"ksize": [1, 1, 1, 2], "strides": [1, 1, 1, 2], "padding": "VALID"}
    yield case("MaxPool", channels, input=f(2, 3, 4, 6))
    yield case(
        "MaxPool",
        {**channels, "ksize": [1, 2, 2, 1], "strides": [1, 1, 1, 1]},
        input=i(*range(-9, 9)).reshape(1, 3, 3, 2),
    )


def matrices() -> Iterator[Case]:
    for x, y in itertools.product((False, True), repeat=2):
        first, second = (5, 3) if x else (3, 5), (4, 5) if y else (5, 4)
        yield case("MatMul", {"transpose_a": x, "transpose_b": y}, a=f(*first), b=f(*second))
        yield case("BatchMatMul", {"adj_x": x, "adj_y": y}, x=f(2, 3, *first), y=f(2, 3, *second))
        yield case("BatchMatMulV2", {"adj_x": x, "adj_y": y}, x=f(3, *first), y=f(2, 1, *second))
    for equation, shapes in {
        "ij,jk->ik": [(3, 4), (4, 5)],
        "bhwc,cd->bhwd": [(2, 3, 4, 5), (5, 2)],
        "...ij,...jk->...ik": [(2, 1, 3, 4), (6, 4, 5)],
        "BFNH,BTNH->BNFT": [(2, 3, 4, 5), (2, 6, 4, 5)],
        "ii->i": [(3, 3)],
        "abc->ca": [(2, 3, 4)],
        "ij,jk,kl->il": [(2, 3), (3, 4), (4, 2)],
    }.items():
        if len(shapes) < 3:
            yield case("Einsum", {"equation": equation}, inputs=[f(*shape) for shape in shapes])


def pointwise() -> Iterator[Case]:
    wide = np.concatenate([3 * f(40), [-60.25, -30.25, 30.25, 60.25, 500.25]])
    for op in SIGNED.split():
        features = op in ("Relu", "Relu6", "Elu", "Selu", "Softplus", "Softsign")
        yield case(op, **{"features" if features else "x": wide})
    for op in POSITIVE.split():
        yield case(op, x=positive(3, 5))
    for op in ("Round", "Rint"):
        yield case(op, x=np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])).rough()
    yield case("Exp", x=f(3, 5))
    for alpha in ({}, {"alpha": 0.25}):
        yield case("LeakyRelu", alpha, features=f(4, 5))
    for op in ("Softmax", "LogSoftmax"):
        yield case(op, logits=5 * f(3, 7))
        yield case(op, logits=np.array([[1000.0, 999.0, -1000.0, 0.0]]))
    for op in ("Abs", "Neg", "Square", "Sign"):
        yield case(op, x=i(-3, 0, 5))
    values = np.array([-2.7, -0.5, 0.0, 0.5, 1.5, 2.7])
    for target in ("float32", "float64", "int32", "int64", "bool", "float16"):
        yield case("Cast", {"DstT": target}, x=values).rough()
        yield case("Cast", {"DstT": target}, x=i(-3, 0, 2, 1 << 12))
    yield case("Cast", {"DstT": "float32"}, x=np.arange(250, 256, dtype=np.uint8))
    yield case("Cast", {"DstT": "float32"}, x=b(5))


def arithmetic() -> Iterator[Case]:
    for op in BINARY.split():
        yield case(op, x=f(2, 3, 5), y=f(3, 1))
    for op in OF_INTEGERS.split():
        yield case(op, x=i(-7, 7, -6, 5, 0), y=i(2, -2, 3, 5, 4))
    yield case("DivNoNan", x=f(4), y=np.array([1.0, 0.0, -2.0, 0.0])).rough()
    yield case("TruncateDiv", x=i(-7, 7), y=i(2))
    yield case("Pow", x=positive(3, 4), y=f(4))
    yield case("Pow", x=np.array([-2.0, -1.5, 3.0, 1.5]), y=np.array(2.0)).rough()
    yield case("Pow", x=np.array([0.0, -2.0, 2.0]), y=np.array([2.0, 3.0, -1.0])).rough()
    yield case("Pow", x=i(-2, 3), y=i(3, 2))
    yield case("AddN", inputs=[f(2, 3), f(2, 3), f(2, 3)])
    yield case("AddN", inputs=[f(2, 3)])
    yield case("ClipByValue", t=3 * f(3, 4), clip_value_min=np.array(-1.0), clip_value_max=np.array(2.0))
    for op in COMPARISONS.split():
        yield case(op, x=np.array([[1.0, 2.0, 3.0]]), y=np.array([[2.0], [1.0]])).rough()
        yield case(op, x=i(1, 2, 3), y=i(2))
    for op in ("LogicalAnd", "LogicalOr"):
        yield case(op, x=b(3, 5), y=b(5))
    yield case("LogicalNot", x=b(3, 5))
    yield case("Select", condition=b(3, 4), x=f(3, 4), y=f(3, 4))
    yield case("Select", condition=b(3), x=f(3, 4, 2), y=f(3, 4, 2))
    yield case("Select", condition=np.array(True), x=f(3, 4), y=f(3, 4))
    yield case("SelectV2", condition=b(3, 1), t=f(3, 4), e=f(1, 4))


def reductions() -> Iterator[Case]:
    axes = [i(0), i(1, 2), i(-1), i(-1, 0), n(1), i(0, 1, 2), np.zeros(0, np.int32), np.array([1], np.int64)]
    for op, axis, keep in itertools.product(("Sum", "Mean", "Max", "Min", "Prod"), axes, (False, True)):
        yield case(op, {"keep_dims": keep}, input=f(2, 3, 5), axis=axis)
    for op, axis, keep in itertools.product(("All", "Any"), axes, (False, True)):
        yield case(op, {"keep_dims": keep}, input=b(2, 3, 5), axis=axis)
    for op in ("Sum", "Mean", "Max", "Min", "Prod"):
        yield case(op, input=i(-3, 2, -4, -8).reshape(2, 2), axis=i(0))
    for op, axis in itertools.product(("ArgMax", "ArgMin"), (0, -1)):
        yield case(op, input=f(4, 5), dimension=n(axis))
        yield case(op, {"output_type": "int32"}, input=i(3, 1, 3, 1).reshape(2, 2), dimension=n(axis))
    yield case("L2Loss", t=f(3, 4))


def norms() -> Iterator[Case]:
    for op, (h, w), training in itertools.product(
        ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), SIZES, (False, True)
    ):
        statistics = {"mean": f(3), "variance": positive(3)}
        given = {"x": f(2, h, w, 3) + 1, "scale": f(3), "offset": f(3), **statistics}
        yield case(op, {"is_training": training, "epsilon": 1e-3}, **given)
        yield case(op, {"is_training": training}, **given)
        yield case(op, {"is_training": training, "exponential_avg_factor": 0.25}, **given)
        nothing = {key: np.zeros(0) for key in statistics}
        if training:
            yield case(op, **{**given, **nothing})
    for options in ({}, {"depth_radius": 2, "bias": 2.0, "alpha": 0.3, "beta": 0.75}, {"depth_radius": 20}):
        yield case("LRN", options, input=f(2, 3, 4, 7))


def shapes() -> Iterator[Case]:
    x = f(2, 3, 1, 5)
    for out in ({}, {"out_type": "int64"}):
        yield case("Shape", out, input=x)
        yield case("ShapeN", out, input=[x, f(4)])
        yield case("Size", out, input=x)
    yield case("Rank", input=x)
    yield case("Reshape", tensor=x, shape=i(5, -1, 2))
    yield case("Reshape", tensor=f(1, 1), shape=np.zeros(0, np.int32))
    for axes in ([], [2], [-2]):
        yield case("Squeeze", {"axis": axes}, input=x)
    for axis in (0, -1, 2):
        yield case("ExpandDims", input=x, axis=n(axis))
    yield case("Transpose", x=x, perm=i(3, 0, 2, 1))
    widths = i(0, 2, 1, 1).reshape(2, 2)
    yield case("Pad", input=f(4, 5), paddings=widths)
    yield case("PadV2", input=f(4, 5), paddings=widths, constant_values=np.array(-3.0))
    for mode in ("REFLECT", "SYMMETRIC"):
        yield case("MirrorPad", {"mode": mode}, input=f(4, 5), paddings=widths)
    yield case("Tile", input=f(2, 3), multiples=i(3, 1))
    yield case("Range", start=n(2), limit=n(11), delta=n(3))
    yield case("Range", start=n(5), limit=n(-1), delta=n(-2))
    yield case("Range", start=np.array(0.5), limit=np.array(2.0), delta=np.array(0.25)).rough()
    yield case("Fill", dims=i(2, 3), value=np.array(1.5))
    yield case("BroadcastTo", input=f(3, 1), shape=i(2, 3, 4))
    yield case("ZerosLike", x=x)
    yield case("OnesLike", x=x)


def slices() -> Iterator[Case]:
    x = f(4, 5, 6)
    for axis in (0, 2, -1):
        yield case("Concat", concat_dim=n(axis), values=[x, x + 1])
        yield case("ConcatV2", values=[x, x + 1, x], axis=n(axis))
        yield case("Pack", {"axis": axis}, values=[x, x + 1])
        yield case("Unpack", {"axis": axis, "num": x.shape[axis]}, value=x)
    yield case("Split", {"num_split": 3}, axis=n(-1), value=x)
    yield case("Split", {"num_split": 2}, axis=n(0), value=x)
    yield case("SplitV", {"num_split": 3}, value=x, size_splits=i(1, -1, 2), axis=n(1))
    yield case("SplitV", {"num_split": 2}, value=x, size_splits=np.array([6, 0]), axis=n(-1))
    yield case("Slice", input=x, begin=i(1, 0, 2), size=i(2, -1, 3))
    yield from strided_slices(x)
    yield case("Gather", params=x, indices=i(3, 0, 0, 1).reshape(2, 2))
    for axis in (0, 1, -1):
        yield case("GatherV2", params=x, indices=i(3, 0, 2), axis=n(axis))
    yield case("GatherV2", params=x, indices=n(2), axis=n(1))
    yield case("GatherV2", {"batch_dims": 1}, params=x, indices=i(0, 1, 2, 3).reshape(4, 1), axis=n(2))
    yield case("GatherV2", {"batch_dims": -1}, params=x, indices=i(4, 1, 2, 3).reshape(4, 1), axis=n(1))
    for axes in (i(0), i(-1, 1), np.zeros(0, np.int32)):
        yield case("ReverseV2", tensor=x, axis=axes)
    yield case("Where", condition=b(3, 4))
    yield case("ListDiff", x=i(1, 2, 3, 4, 2), y=i(4, 1))
    yield case("ListDiff", {"out_idx": "int64"}, x=i(1, 2, 3), y=i(7))


def strided_slices(x: np.ndarray) -> Iterator[Case]:
    entries: list[tuple[list[int], list[int], list[int], dict[str, int]]] = [
        ([1, 0, 5], [4, 5, 0], [2, 1, -2], {}),
        ([1, 2], [3, 4], [1, 1], {"begin_mask": 1, "end_mask": 2}),
        ([-1], [-5], [-1], {"end_mask": 1}),
        ([0], [1], [1], {"shrink_axis_mask": 1}),
        ([-2, 1], [0, 3], [1, 1], {"shrink_axis_mask": 1, "begin_mask": 1}),
        ([0, 0, 1], [0, 0, 5], [1, 1, 2], {"ellipsis_mask": 1, "new_axis_mask": 2}),
        ([1, 0, -1], [2, 0, 0], [1, 1, 1], {"ellipsis_mask": 2, "shrink_axis_mask": 4}),
        ([0, 1, 0], [0, 3, 0], [1, 1, 1], {"new_axis_mask": 5}),
        ([0, 1], [0, 3], [1, 1], {"new_axis_mask": 1, "shrink_axis_mask": 1}),
        ([-100, 3], [100, 1], [1, 1], {}),
    ]
    for begin, end, strides, masks in entries:
        yield case("StridedSlice", masks, input=x, begin=i(*begin), end=i(*end), strides=i(*strides))


def places() -> Iterator[Case]:
    blocks, widths = i(2, 3), i(1, 0, 1, 2).reshape(2, 2)
    yield case("SpaceToBatchND", input=f(2, 5, 6, 3), block_shape=blocks, paddings=widths)
    yield case("SpaceToBatchND", input=f(2, 4, 5), block_shape=i(2), paddings=i(0, 0).reshape(1, 2))
    yield case("BatchToSpaceND", input=f(12, 3, 3, 3), block_shape=blocks, crops=widths)
    yield case("BatchToSpaceND", input=f(4, 2, 5), block_shape=i(2), crops=i(0, 1).reshape(1, 2))
    for block in (2, 3):
        yield case("SpaceToDepth", {"block_size": block}, input=f(2, 2 * block, 3 * block, 5))
        yield case("DepthToSpace", {"block_size": block}, input=f(2, 2, 3, 2 * block**2))
    for op, options in itertools.product(
        ("ResizeBilinear", "ResizeNearestNeighbor"), ({}, {"align_corners": True}, {"half_pixel_centers": True})
    ):
        for (h, w), size in itertools.product(SIZES, [(7, 9), (3, 4), (14, 13), (1, 1), (24, 18)]):
            yield case(op, options, images=f(2, h, w, 3), size=i(*size))


def flow() -> Iterator[Case]:
    for op in ("Identity", "StopGradient", "PreventGradient", "Snapshot", "PlaceholderWithDefault"):
        options = {"shape": [3]} if op == "PlaceholderWithDefault" else {}
        yield case(op, options, input=f(3))
    yield case("IdentityN", input=[f(3), i(2)])
    yield case("CheckNumerics", {"message": "all is well"}, tensor=f(3))


THEMES: list[Callable[[], Iterator[Case]]] = [
    convolutions,
    transposed,
    pools,
    matrices,
    pointwise,
    arithmetic,
    reductions,
    norms,
    shapes,
    slices,
    places,
    flow,
]
CASES = [each for theme in THEMES for each in theme()]
