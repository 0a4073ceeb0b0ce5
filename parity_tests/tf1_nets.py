"""A writer of small TensorFlow graphs and checkpoints, for what no recording shows."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto import graph_pb2, meta_graph_pb2
from tf1_files import entry, write_bundle

from attn_core.porting.tf1 import FoundBlock
from attn_core.weights.files.tf1.protos import SavedModel

DTYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "complex64": 8, "bool": 10}
C, H = 6, 2
AVERAGE = "/ExponentialMovingAverage"


class Net:
    """A graph that grows node by node; each method returns the name of what it added."""

    def __init__(self) -> None:
        self.definition = graph_pb2.GraphDef()
        self.definition.versions.producer = 134
        self.frozen = False

    def node(self, op: str, name: str, *inputs: str, **attributes: Any) -> str:
        added = self.definition.node.add(op=op, name=name, input=inputs)
        for key, value in attributes.items():
            if isinstance(value, bytes):
                added.attr[key].s = value
            elif isinstance(value, bool):
                added.attr[key].b = value
            elif key.endswith("_mask"):
                added.attr[key].i = value
            elif isinstance(value, int):
                added.attr[key].type = value
            elif key in ("shape", "_output_shapes"):
                field = added.attr[key]
                shape = field.shape if key == "shape" else field.list.shape.add()
                shape.SetInParent()
                for size in value:
                    shape.dim.add(size=size)
            else:
                added.attr[key].list.i.extend(value)
        return name

    def const(self, name: str, value: Any, dtype: str = "float32") -> str:
        array = np.asarray(value, dtype)
        self.node("Const", name)
        tensor = self.definition.node[-1].attr["value"].tensor
        tensor.dtype, tensor.tensor_content = DTYPES[dtype], array.tobytes()
        tensor.tensor_shape.SetInParent()
        for size in array.shape:
            tensor.tensor_shape.dim.add(size=size)
        return name

    def weights(self, name: str, shape: tuple[int, ...]) -> str:
        if self.frozen:
            return self.const(name, weights(name, shape))
        self.node("VariableV2", name, shape=shape)
        return self.node("Identity", f"{name}/read", name)

    def image(self, name: str = "input", shape: tuple[int, ...] = (-1, 4, 4, C)) -> str:
        return self.node("Placeholder", name, shape=shape)

    def mean(self, image: str, name: str, axes: tuple[int, ...] = (1, 2)) -> str:
        return self.node("Mean", name, image, self.const(f"{name}/axes", axes, "int32"), keep_dims=True)

    def dense(self, data: str, name: str, shape: tuple[int, int], bias: bool = True) -> str:
        out = self.node("MatMul", f"{name}/MatMul", data, self.weights(f"{name}/kernel", shape))
        return self.node("BiasAdd", f"{name}/BiasAdd", out, self.weights(f"{name}/bias", shape[1:])) if bias else out

    def gate(
        self, vector: str, scope: str, activation: str = "Relu", bias: bool = True, first_bias: bool = True
    ) -> str:
        hidden = self.dense(vector, f"{scope}/dense", (C, H), bias and first_bias)
        hidden = self.node(activation, f"{scope}/hidden", hidden)
        return self.node("Sigmoid", f"{scope}/gate", self.dense(hidden, f"{scope}/dense_1", (H, C), bias))

    def se(self, image: str, scope: str, axes: tuple[int, ...] = (1, 2), **options: Any) -> str:
        return self.node(
            "Mul", f"{scope}/mul", image, self.gate(self.mean(image, f"{scope}/mean", axes), scope, **options)
        )

    def write(self, path: Path) -> Path:
        if path.suffix == ".meta":
            meta = meta_graph_pb2.MetaGraphDef(graph_def=self.definition)
            path.write_bytes(meta.SerializeToString())
        else:
            path.write_bytes(self.definition.SerializeToString())
        return path


def saved_model(nets: Mapping[str, Net]) -> Any:
    """Return a SavedModel of these graphs by their tags."""
    saved = SavedModel()
    for tag, net in nets.items():
        graph = saved.meta_graphs.add()
        graph.meta_info_def.tags.append(tag)
        graph.graph_def.MergeFromString(net.definition.SerializeToString())
    return saved


def frozen() -> Net:
    """Return a net whose weights are constants."""
    net = Net()
    net.frozen = True
    return net


def weights(name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return weights that differ from name to name."""
    return np.random.default_rng(list(name.encode())).normal(size=shape).astype(np.float32)


def se_shapes(scope: str, kernels: str = "dense", channels: int = C, hidden: int = H) -> dict[str, tuple[int, ...]]:
    """Return the variables that `Net.se` reads."""
    first, second = f"{scope}/{kernels}", f"{scope}/{kernels}_1"
    shapes = {f"{first}/kernel": (channels, hidden), f"{first}/bias": (hidden,)}
    return {**shapes, f"{second}/kernel": (hidden, channels), f"{second}/bias": (channels,)}


def write_checkpoint(prefix: Path, shapes: Mapping[str, tuple[int, ...]]) -> Path:
    """Write a V2 checkpoint of float32 `weights`."""
    entries, data = {}, b""
    for name, shape in shapes.items():
        array = weights(name, shape)
        entries[name.encode()] = entry(array, len(data))
        data += array.tobytes()
    return write_bundle(prefix, entries, data)


def names(found: Iterable[FoundBlock]) -> list[str]:
    return [block.name for block in found]
