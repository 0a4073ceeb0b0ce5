"""Axes: reshaping, transposing, cutting and putting together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from attn_core.blocks.channel_shuffle import ChannelShuffle
from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.rules.layers import grouped
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported, image_axes
from attn_core.porting.network.steps.steps import NCHW, NHWC, Step, Value
from attn_core.porting.network.steps.trace import attribute, fixed


def _reshape(lifter: Lifter, node: Node) -> Value:
    """Lift a reshape by the shapes before and after, in both runs of the graph.

    What it may be: nothing at all, an image or rows flattened to vectors, a vector made an image of one pixel.
    """
    x, result = lifter.value(node.inputs[0]), Ref(node.name)
    runs = [
        [shapes[run] for shapes in (lifter.trace.shapes[node.inputs[0]], lifter.trace.shapes[result])] for run in (0, 1)
    ]
    if all(before == after for before, after in runs):
        return x
    if (shuffled := _shuffle(lifter, node, x)) is not None:
        return shuffled
    if all(_grouped(before, after) for before, after in runs) and x.axes == NHWC:
        return lifter.add(node, "groups", (x,), {"groups": runs[0][1][3]}, (*NHWC, 4))
    if all(_flat(before, after) for before, after in runs):
        return _flatten(lifter, node, x, [before for before, _ in runs])
    if all(_rows(before, after) for before, after in runs):
        return lifter.add(node, "rows", (x,), {"whole": x.axes}, (0, 1))
    if all(_pixel(before, after) for before, after in runs):
        return _from_rows(lifter, node, x) or _to_pixel(lifter, node, x, runs[0][1])
    if all(_unflat(before, after) for before, after in runs) and runs[0][1][1:] == runs[1][1][1:]:
        axes = image_axes(lifter.graph, Ref(node.name), 4)
        return lifter.add(node, "unflatten", (x,), {"axes": axes, "sizes": runs[0][1][1:]}, axes)
    if all(len(before) == 2 for before, _ in runs) and (back := _from_rows(lifter, node, x)) is not None:
        return back
    shapes = " and ".join(f"{list(before)} to {list(after)}" for before, after in runs)
    raise Unsupported(f"it reshapes {shapes}, which is neither flattening nor its opposite")


def _flat(before: Sequence[int], after: Sequence[int]) -> bool:
    return len(after) == 2 and before[0] == after[0] and len(before) > 2 and math.prod(before[1:]) == after[1]


def _unflat(before: Sequence[int], after: Sequence[int]) -> bool:
    return len(before) == 2 and len(after) == 4 and after[0] == before[0] and math.prod(after[1:]) == before[1]


def _rows(before: Sequence[int], after: Sequence[int]) -> bool:
    return len(after) == 2 and len(before) > 2 and before[-1] == after[-1] and math.prod(before[:-1]) == after[0]


def _grouped(before: Sequence[int], after: Sequence[int]) -> bool:
    return len(before) == 4 and len(after) == 5 and before[:3] == after[:3] and before[3] == after[3] * after[4]


def _shuffle(lifter: Lifter, node: Node, x: Value) -> Value | None:
    """Lift the last of three: channels into groups, the groups turned, and together again."""
    turned = lifter.steps.get(x.step)
    apart = lifter.steps.get(turned.inputs[0]) if turned and turned.kind == "turned" else None
    whole = apart and lifter.trace.shapes[lifter.graph.nodes[apart.name].inputs[0]]
    if apart is None or whole != lifter.trace.shapes[Ref(node.name)]:
        return None
    block = ChannelShuffle(whole[0][-1], apart.fields["groups"])
    path = f"{node.name.rpartition('/')[0]}/channel_shuffle".lstrip("/")
    return lifter.add(node, "attention", (Value(apart.inputs[0], NHWC),), {"block": block}, NHWC, None, path)


def _pixel(before: Sequence[int], after: Sequence[int]) -> bool:
    return (
        len(before) == 2
        and len(after) == 4
        and after[0] == before[0]
        and sorted(after[1:]) == sorted((1, 1, before[1]))
    )


def _flatten(lifter: Lifter, node: Node, x: Value, shapes: list[tuple[int, ...]]) -> Value:
    free = x.rank == 3 or math.prod(shapes[0][1:]) == max(shapes[0][1:])
    fields = {"axes": x.axes[1:], "sizes": shapes[0][1:], "free": free, "whole": x.axes}
    return lifter.add(node, "flatten", (x,), fields, (0, 1))


def _from_rows(lifter: Lifter, node: Node, x: Value) -> Value | None:
    """Turn a dense layer on the rows of an image, which is reshaped before and after, into a 1x1 convolution."""
    dense = lifter.step_of(x, "dense")
    rows = lifter.steps.get(dense.inputs[0]) if dense else None
    if dense is None or rows is None or not _of_an_image(rows):
        return None
    fields = {
        "inputs": dense.fields["inputs"], "outputs": dense.fields["outputs"], "kernel": (1, 1), "stride": (1, 1),
        "dilation": (1, 1), "padding": "valid", "groups": 1, "bias": dense.fields["bias"],
    }  # fmt: skip
    weight = dense.arrays["weight"]
    turn = weight.turn
    kernel = type(weight)(weight.parts, lambda a: turn(a)[..., None, None], weight.value)
    if weight.value is not None:
        kernel = type(weight)(value=weight.value[..., None, None], computed=weight.computed)
    arrays = {**dense.arrays, "weight": kernel}
    lifter.steps[node.name] = type(dense)(node.name, "conv", rows.inputs, fields, arrays, dense.path)
    return Value(node.name, rows.fields["whole"])


def _of_an_image(rows: Step) -> bool:
    """Whether these are the pixels of an image, one after the other; of a single one, also its flattened form."""
    whole = len(rows.fields.get("whole", ())) == 4
    return whole and (rows.kind == "rows" or (rows.kind == "flatten" and sorted(rows.fields["sizes"])[:2] == [1, 1]))


def _to_pixel(lifter: Lifter, node: Node, x: Value, after: tuple[int, ...]) -> Value:
    axes = NHWC if after[3] != 1 or after[1:] == (1, 1, 1) else NCHW
    if after[axes.index(1)] == 1 and max(after[1:]) != 1:
        raise Unsupported("it turns channels into rows")
    return lifter.add(node, "to_image", (x,), None, axes)


def _squeeze(lifter: Lifter, node: Node) -> Value:
    x = lifter.value(node.inputs[0])
    shape = lifter.shape(node.inputs[0])
    named = attribute(node, "squeeze_dims", ()) or tuple(k for k, n in enumerate(shape) if n == 1)
    gone = {axis % x.rank for axis in named}
    left = tuple(axis for k, axis in enumerate(x.axes) if k not in gone)
    if list(left) != sorted(left):
        raise Unsupported("what it leaves of the image has its axes in another order")
    axes = tuple(sorted(x.axes[k] for k in gone))
    pixel = lifter.steps.get(x.step)
    if pixel and pixel.kind == "to_image" and axes == (2, 3):
        return Value(pixel.inputs[0], (0, 1))
    return lifter.add(node, "squeeze", (x,), {"axes": axes, "rank": x.rank}, tuple(range(len(left)))) if axes else x


def _expand(lifter: Lifter, node: Node) -> Value:
    """Lift `ExpandDims` of a vector to an image, one axis after the other."""
    x = lifter.value(node.inputs[0])
    axis = fixed(lifter.trace.integers(node.inputs[1]))
    if axis is None:
        raise Unsupported("the graph does not say which axis it adds")
    place = axis[0] % (x.rank + 1)
    return _with_axis(lifter, node, x, place)


def _with_axis(lifter: Lifter, node: Node, x: Value, place: int) -> Value:
    """Add an axis of one; a vector with two of them is an image of one pixel."""
    before = lifter.steps.get(x.step)
    added = (*(before.fields["places"] if before and before.kind == "added" else ()), place)
    source = before.inputs[0] if before and before.kind == "added" else x.step
    if x.rank == 2:
        return lifter.add(node, "added", (x,), {"places": added}, (0, 1, 2))
    if x.rank == 3 and before and before.kind == "added":
        channels_last = (
            sum(place <= 1 or (place == 2 and k == 1 and added[0] == 1) for k, place in enumerate(added)) == 2
        )
        axes = NHWC if channels_last else NCHW
        if not channels_last and added != (2, 3) and added != (2, 2):
            raise Unsupported("it adds axes in an order that makes no image")
        return lifter.add(node, "to_image", (Value(source, (0, 1)),), None, axes)
    raise Unsupported(f"it adds an axis to a value of {x.rank} axes")


def _transpose(lifter: Lifter, node: Node) -> Value:
    """Lift a transposition: here only the meaning of the graph's axes changes."""
    x = lifter.value(node.inputs[0])
    order = fixed(lifter.trace.integers(node.inputs[1]))
    if order is None:
        raise Unsupported("the graph does not say how")
    if order == (0, 1, 2, 4, 3) and lifter.step_of(x, "groups"):
        return lifter.add(node, "turned", (x,))
    axes = tuple(x.axes[k] for k in order)
    if axes == x.axes:
        return x
    if x.rank != 4 or axes not in (NHWC, NCHW):
        raise Unsupported(f"it puts the axes into the order {list(order)}, which is no layout of an image")
    return Value(x.step, axes)


def _concat(lifter: Lifter, node: Node) -> Value:
    if node.op == "Concat":
        place, *refs = node.inputs
    else:
        *refs, place = node.inputs
    axis = fixed(lifter.trace.integers(place))
    values = [lifter.value(ref) for ref in refs if lifter.is_data(ref)]
    if axis is None or len(values) != len(refs):
        raise Unsupported("it puts an image beside weights, or along an axis that the graph does not state")
    values = [lifter.laid(value, values[0].axes) for value in values]
    along = values[0].axes[axis[0] % values[0].rank]
    if along == 1 and (conv := grouped(lifter, node, values)) is not None:
        return conv
    return lifter.add(node, "concat", tuple(values), {"axis": along})


def _split(lifter: Lifter, node: Node) -> None:
    """Lift a split: one slice for each of its outputs."""
    place, data = (node.inputs[2], node.inputs[0]) if node.op == "SplitV" else node.inputs
    x, axis = lifter.value(data), fixed(lifter.trace.integers(place))
    if axis is None:
        raise Unsupported("the graph does not say which axis it splits")
    source = axis[0] % x.rank
    whole = lifter.shape(data)[source]
    start = 0
    outputs = sorted(ref for ref in lifter.trace.shapes if ref.node == node.name)
    for ref in outputs:
        size = lifter.shape(ref)[source]
        if size is None or whole is None:
            raise Unsupported("the sizes of its parts follow the image")
        name = f"{node.name}:{ref.output}" if ref.output else node.name
        part = Node(name, node.op, node.inputs, node.attributes)
        fields = {"axis": x.axes[source], "start": start, "stop": start + size, "size": whole}
        if whole == size * len(outputs):
            fields = {"axis": x.axes[source], "part": ref.output, "parts": len(outputs)}
        lifter.values[ref] = lifter.add(part, "slice", (x,), fields, path=node.name)
        start += size


RULES: dict[str, Rule] = {
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "ExpandDims": _expand,
    "Transpose": _transpose,
    **dict.fromkeys(("Concat", "ConcatV2"), _concat),
    **dict.fromkeys(("Split", "SplitV"), _split),
}
