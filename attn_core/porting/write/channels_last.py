"""What Keras and Flax have in common: images are (batch, height, width, channels)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from attn_core.porting.network.steps.axes import NHWC
from attn_core.porting.network.steps.steps import Array, Step
from attn_core.porting.write.classes import Instances, Layer
from attn_core.porting.write.common import call, cut, piece, wrapped
from attn_core.porting.write.common_fields import Either, resolved
from attn_core.porting.write.forward import Code
from attn_core.porting.write.structure import WEIGHTED
from attn_core.porting.write.writer import Writer, repeated

PLACES = {axis: place for place, axis in enumerate(NHWC)}
KERNELS = ("conv", "depthwise", "dense")


def layout(step: Step, leaf: str, array: Array) -> Array:
    """Lay a canonical array out as Keras and Flax do: kernels (*space, in, out)."""
    if step.kind == "attention":
        return array.transpose(*range(2, array.ndim), 1, 0) if array.ndim > 1 else array
    if step.kind in KERNELS and leaf == "weight":
        if step.kind == "dense":
            return _dense(step, array)
        return array.transpose(2, 3, 1, 0)
    if step.kind not in WEIGHTED and array.ndim == 3:
        return array.transpose(1, 2, 0)
    return array


def _dense(step: Step, array: Array) -> Array:
    """Order the rows as an image is flattened here, if it is one that the layer reads."""
    image = step.fields["image"]
    if image:
        array = array.reshape(-1, *image).transpose(0, 2, 3, 1).reshape(array.shape)
    return array.T


LOCAL_RESPONSE = '''def local_response_norm(x, radius, bias, alpha, beta):
    """Divide by a power of the squares of the channels nearby."""
    squares = {arrays}.pad(x**2, ((0, 0), (0, 0), (0, 0), (radius, radius)))
    near = sum(squares[..., k : k + x.shape[-1]] for k in range(2 * radius + 1))
    return x / (bias + alpha * near) ** beta


'''


def _numbers(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in ("radius", "bias", "alpha", "beta")}


class ChannelsLast(Writer):
    """Writes steps in the words of a library of arrays: `self.arrays` is its name."""

    arrays: ClassVar[str]

    def helpers(self, body: str) -> str:
        """See `Writer.helpers`."""
        own = LOCAL_RESPONSE.format(arrays=self.arrays) if "local_response_norm(" in body else ""
        return own + super().helpers(body)

    reductions: ClassVar[dict[str, str]] = {"mean": "mean", "sum": "sum", "max": "max", "min": "min"}
    constant: ClassVar[str]
    passed: ClassVar[str] = ""  # what instances are given beside the image

    def place(self, axis: int, rank: int = 4) -> int:
        """Return where a canonical axis is here."""
        return PLACES[axis] if rank == 4 else axis

    def shape(self, layer: Layer) -> tuple[int, ...]:
        """Return the shape of plain weights."""
        shape: tuple[int, ...] = layer.step.fields["shape"]
        return (*shape[1:], shape[0]) if len(shape) == 3 else shape

    def instances(self, member: Instances, calls: list[str], indent: str) -> Iterable[str]:
        """See `Writer.instances`."""
        return wrapped(f"self.{member.name} = [", repeated(calls), "]", indent)

    def run(self, member: Instances, x: Code) -> Code | list[str]:
        """See `Writer.run`."""
        if not member.several:
            return Code(f"self.{member.name}({x.text}{self.passed})")
        return [f"for block in self.{member.name}:", f"    {x.text} = block({x.text}{self.passed})"]

    def border(self, layer: Layer) -> Any:
        """Return a convolution's padding: valid, same, or borders."""
        padding, fields = resolved(layer.varying["padding"]), layer.step.fields
        if isinstance(padding, Either):
            return "same"
        if padding != "symmetric":
            return padding
        reach = [rate * (length - 1) // 2 for rate, length in zip(fields["dilation"], fields["kernel"], strict=True)]
        return tuple((n, n) for n in reach)

    def bound(self, step: Step, parts: list[Code]) -> Code:
        """See `Writer.bound`."""
        return Code(f"{self.arrays}.{step.kind}({parts[0].text}, {parts[1].text})")

    def step(self, step: Step, inputs: list[Code], layer: Layer | None) -> Code:
        """See `Writer.step`."""
        if layer is not None:
            return self.applied(layer, inputs[0])
        if step.kind in self.reductions:
            return self._reduced(step, inputs[0])
        if step.kind in ("mean_pool", "max_pool"):
            return self.pooled(step, inputs[0])
        if step.kind == "concat":
            images = ", ".join(each.text for each in inputs)
            return Code(f"{self.arrays}.concatenate([{images}], axis={self.place(step.fields['axis'])})")
        return self._small(step, inputs[0])

    def applied(self, layer: Layer, x: Code) -> Code:
        """Return the call of a layer."""
        raise NotImplementedError

    def pooled(self, step: Step, x: Code) -> Code:
        """Return a pooling."""
        raise NotImplementedError

    def _reduced(self, step: Step, x: Code) -> Code:
        fields = step.fields
        axes = sorted(self.place(axis, fields["rank"]) for axis in fields["axes"])
        text = tuple(axes) if len(axes) > 1 else axes[0]
        keep = ", keepdims=True" if fields["keep"] else ""
        return Code(f"{self.arrays}.{self.reductions[step.kind]}({x.text}, axis={text}{keep})")

    def _small(self, step: Step, x: Code) -> Code:
        fields, arrays = step.fields, self.arrays
        texts = {
            "softmax": lambda: f"{self.functions['softmax']}({x.text}, axis={self._softmax_axis(fields['axis'])})",
            "log_softmax": lambda: (
                f"{self.functions['log_softmax']}({x.text}, axis={self._softmax_axis(fields['axis'])})"
            ),
            "local_response_norm": lambda: call("local_response_norm", x.text, **_numbers(fields)),
            "leaky_relu": lambda: f"{self.functions['leaky']}({x.text}, {fields['slope']})",
            "clip": lambda: f"{arrays}.clip({x.text}, {fields['low']}, {fields['high']})",
            "slice": lambda: self._slice(step, x),
            "cut": lambda: f"{x}[{', '.join(cut(fields['cuts'][axis]) for axis in self._order(fields['cuts']))}]",
            "permute": lambda: f"{arrays}.transpose({x.text}, {self._permutation(fields['axes'])})",
            "squeeze": lambda: f"{arrays}.squeeze({x.text}, axis={self._axes(fields)})",
            "to_image": lambda: f"{x}[:, None, None, :]",
            "unflatten": lambda: self._unflatten(step, x),
            "pad": lambda: self._pad(step, x),
            "flatten": lambda: self._flatten(step, x),
        }
        if step.kind not in texts:
            raise self.strange(step)
        return Code(texts[step.kind]())

    def _slice(self, step: Step, x: Code) -> str:
        fields = step.fields
        place = self.place(fields["axis"])
        if "part" in fields:
            return f"{self.arrays}.split({x.text}, {fields['parts']}, axis={place})[{fields['part']}]"
        return f"{x}[{':, ' * place}{piece(fields)}]"

    def _unflatten(self, step: Step, x: Code) -> str:
        axes, sizes = step.fields["axes"], step.fields["sizes"]
        shaped = f"{self.arrays}.reshape({x.text}, {(-1, *sizes)})"
        return shaped if axes == NHWC else f"{self.arrays}.transpose({shaped}, {NHWC})"

    def _softmax_axis(self, axis: int) -> int:
        return -1 if axis == 1 else self.place(axis)

    def _order(self, cuts: tuple[Any, ...]) -> tuple[int, ...]:
        return NHWC if len(cuts) == 4 else tuple(range(len(cuts)))

    def _permutation(self, axes: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(self.place(axes[axis]) for axis in NHWC)

    def _axes(self, fields: Any) -> tuple[int, ...]:
        return tuple(sorted(self.place(axis, fields["rank"]) for axis in fields["axes"]))

    def _flatten(self, step: Step, x: Code) -> str:
        axes = tuple(step.fields["axes"])
        if not step.fields["free"] and axes not in ((2, 3, 1), (1, 2)):
            order = (0, *(self.place(axis) for axis in axes))
            x = Code(f"{self.arrays}.transpose({x.text}, {order})")
        return self.flattened(x)

    def flattened(self, x: Code) -> str:
        """Return an image as a vector."""
        return f"{x}.reshape(({x}.shape[0], -1))"

    def _pad(self, step: Step, x: Code) -> str:
        borders = step.fields["borders"]
        order = NHWC if len(borders) == 4 else tuple(range(len(borders)))
        mode, value = step.fields["mode"], step.fields["value"]
        more = f', mode="{mode}"' if mode != "constant" else f", {self.constant}={value}" if value else ""
        return f"{self.arrays}.pad({x.text}, {tuple(borders[axis] for axis in order)}{more})"
