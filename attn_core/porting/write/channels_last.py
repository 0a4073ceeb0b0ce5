"""What Keras and Flax have in common: images are (batch, height, width, channels), signals and volumes likewise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from attn_core.porting.network.steps.axes import CHANNELS, Axes, channels_last, unpermuted
from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write import group_norm, hard
from attn_core.porting.write.blocks_of_pixels import channels_last_helpers
from attn_core.porting.write.classes import Instances, LayerMember
from attn_core.porting.write.forward import Code
from attn_core.porting.write.grids import counted, helpers
from attn_core.porting.write.local_response import LOCAL_RESPONSE_NORM
from attn_core.porting.write.padding import Either, symmetric
from attn_core.porting.write.regrouping import permuted, sizes_text
from attn_core.porting.write.resizing import CROP, resized
from attn_core.porting.write.spelling import call, cuts, inside, only_if, piece, repeated, wrapped
from attn_core.porting.write.writer import Writer

REDUCTIONS = ("mean", "sum", "max", "min")


class ChannelsLast(Writer):
    """Writes steps in the words of a library of arrays.

    Fields:
        resize: the source of the function that resizes.
        grids: those of the functions that count places.
        arrays: the library's name.
        activations: where it has its activations.
        passed: what instances are given beside the image.
    """

    resize: ClassVar[str]
    grids: ClassVar[Mapping[str, str]]
    arrays: ClassVar[str]
    activations: ClassVar[str]
    passed: ClassVar[str] = ""

    def helpers(self, body: str) -> str:
        """See `Words.helpers`."""
        own = LOCAL_RESPONSE_NORM.format(arrays=self.arrays) if "local_response_norm(" in body else ""
        resize = self.resize if "resize(" in body else ""
        crop = CROP["last"] if "crop(" in body else ""
        own += helpers(self.grids, body) + hard.helpers(body, f"{self.activations}.relu6")
        own += group_norm.helper(body, self.arrays)
        return own + resize + crop + channels_last_helpers(body, self.arrays) + super().helpers(body)

    # ---- members -----------------------------------------------------------------------------------------------------

    def shape(self, layer: LayerMember) -> tuple[int, ...]:
        """Return the shape of plain weights."""
        shape: tuple[int, ...] = layer.step.fields["shape"]
        return (*shape[1:], shape[0]) if layer.step.fields["image"] else shape

    def instances(self, member: Instances, calls: list[str], indent: str) -> Iterable[str]:
        """See `Words.instances`."""
        return wrapped(f"self.{member.name} = [", repeated(calls), "]", indent)

    def run(self, member: Instances, x: Code) -> Code | list[str]:
        """See `Words.run`."""
        if not member.several:
            return Code(f"self.{member.name}({x.text}{self.passed})")
        return [f"for block in self.{member.name}:", f"    {x.text} = block({x.text}{self.passed})"]

    def border(self, layer: LayerMember) -> Any:
        """Return a convolution's padding: valid, same, or borders."""
        if isinstance(layer.padding, Either):
            return "same"
        return symmetric(layer.step) if layer.padding == "symmetric" else layer.padding

    # ---- steps -------------------------------------------------------------------------------------------------------

    def bound(self, step: Step, parts: list[Code]) -> Code:
        """See `Words.bound`."""
        return Code(call(f"{self.arrays}.{step.kind}", *(part.text for part in parts)))

    def step(self, step: Step, inputs: list[Code], layer: LayerMember | None) -> Code:
        """See `Words.step`."""
        x = inputs[0]
        if layer is not None:
            applied = self.applied(layer, x)
            crop = step.fields.get("crop", ())
            return Code(f"{applied.text}{inside(crop, before=1)}") if any(map(any, crop)) else applied
        if step.kind in REDUCTIONS:
            return Code(self._reduced(step, x))
        if step.kind in ("mean_pool", "max_pool"):
            return self.pooled(step, x)
        if step.kind == "resize":
            return Code(resized(step.fields, x.text, self.size_of(inputs[1]) if len(inputs) > 1 else ""))
        if step.kind == "reshape":
            return Code(self._reshaped(step, inputs))
        if step.kind == "crop":
            return Code(f"crop({x.text}, {self.size_of(inputs[1])})")
        if step.kind == "concat":
            images = ", ".join(each.text for each in inputs)
            return Code(f"{self.arrays}.concatenate([{images}], axis={self._place(step)})")
        return Code(self._of_one(step, x))

    def applied(self, layer: LayerMember, x: Code) -> Code:
        """Return the call of a layer."""
        raise NotImplementedError

    def pooled(self, step: Step, x: Code) -> Code:
        """Return a pooling."""
        raise NotImplementedError

    def size_of(self, x: Code) -> str:
        """Return the height and width of an image."""
        return f"{x}.shape[1:3]"

    def shape_of(self, x: Code) -> str:
        """Return the shape of an array."""
        return f"{x}.shape"

    def _reshaped(self, step: Step, inputs: list[Code]) -> str:
        x, *others = inputs
        fields = step.fields
        order, ends = self.order(len(fields["of"])), self.order(len(fields["axes"]))
        like = self.shape_of(others[0]) if others else ""
        sizes = sizes_text(step, self.shape_of(x), like, order, self.order(fields.get("like", 0)))
        text = f"{self.arrays}.reshape({self._turned(x.text, permuted(order, fields['of']))}, {sizes})"
        return self._turned(text, permuted(fields["axes"], ends))

    def _turned(self, x: str, order: tuple[int, ...] | None) -> str:
        return f"{self.arrays}.transpose({x}, {order})" if order else x

    def flattened(self, x: Code) -> str:
        """Return an image as a vector."""
        return f"{x}.reshape(({x}.shape[0], -1))"

    def _of_one(self, step: Step, x: Code) -> str:
        fields, arrays = step.fields, self.arrays
        match step.kind:
            case "leaky_relu":
                return f"{self.activations}.leaky_relu({x.text}, {fields['slope']})"
            case "hard_sigmoid" | "hard_swish":
                return hard.activation(step, x, f"{self.activations}.{step.kind}")
            case "softmax" | "log_softmax":
                place = self._place(step)
                axis = "" if place == fields["rank"] - 1 else f", axis={place}"
                return f"{self.activations}.{step.kind}({x.text}{axis})"
            case "local_response_norm":
                numbers = {name: fields[name] for name in ("radius", "bias", "alpha", "beta")}
                return call("local_response_norm", x.text, **numbers)
            case "clip":
                return f"{arrays}.clip({x.text}, {fields['low']}, {fields['high']})"
            case "group_norm":
                return call("group_norm", x.text, fields["groups"], fields["eps"])
            case "pad":
                return self._padded(step, x)
            case "cut":
                return f"{x}[{cuts(self._in_order(fields['cuts']))}]"
            case "take":
                array = f"{arrays}.array({list(fields['places'])})"
                return f"{arrays}.take({x.text}, {array}, axis={self._place(step)})"
            case "flip":
                axes = self._axes(step)
                return f"{arrays}.flip({x.text}, axis={axes if len(axes) > 1 else axes[0]})"
            case "grid" | "sizes":
                order = self.order(fields["rank"])
                return counted(step, x, [order.index(axis) for axis in fields["axes"]])
            case "slice":
                return self._slice(step, x)
            case "space_to_depth" | "depth_to_space":
                return f"{step.kind}({x.text}, {fields['block']})"
            case "permute":
                order = self.order(len(fields["axes"]))
                axes = tuple(order.index(fields["axes"][axis]) for axis in order)
                return f"{arrays}.transpose({x.text}, {axes})"
            case "squeeze":
                return f"{arrays}.squeeze({x.text}, axis={self._axes(step)})"
            case "expand":
                return f"{x}[{self._new_axis(fields['axis'])}]"
            case "flatten":
                return self._flattened(step, x)
            case "to_image":
                return f"{x}[:, {'None, ' * (fields['rank'] - 2)}:]"
            case "unflatten":
                return self._unflattened(step, x)
        raise self.strange(step)

    def _reduced(self, step: Step, x: Code) -> str:
        axes = self._axes(step)
        shown = axes if len(axes) > 1 else axes[0]
        keep = ", keepdims=True" if step.fields["keep"] else ""
        return f"{self.arrays}.{step.kind}({x.text}, axis={shown}{keep})"

    def _padded(self, step: Step, x: Code) -> str:
        mode, value = step.fields["mode"], step.fields["value"]
        borders = self._in_order(step.fields["borders"])
        if mode != "constant":
            return f'{self.arrays}.pad({x.text}, {borders}, mode="{mode}")'
        more = f", constant_values={value}" if value else ""
        return f"{self.arrays}.pad({x.text}, {borders}{more})"

    def _slice(self, step: Step, x: Code) -> str:
        fields = step.fields
        place = self._place(step)
        if "part" in fields:
            return f"{self.arrays}.split({x.text}, {fields['parts']}, axis={place})[{fields['part']}]"
        before = ":, " * place
        return f"{x}[{before}{piece(fields)}]"

    def _flattened(self, step: Step, x: Code) -> str:
        axes = step.fields["axes"]
        places = self.order(1 + len(axes))
        order = (0, *(places.index(axis) for axis in axes))
        # `free`: only a dense layer reads it, whose weights are laid out in the order that images have here.
        if step.fields["free"] or list(order) == sorted(order):
            return self.flattened(x)
        return self.flattened(Code(f"{self.arrays}.transpose({x.text}, {order})"))

    def _unflattened(self, step: Step, x: Code) -> str:
        shaped = f"{self.arrays}.reshape({x.text}, {(-1, *step.fields['sizes'])})"
        axes, order = step.fields["axes"], self.order(len(step.fields["axes"]))
        return shaped if axes == order else f"{self.arrays}.transpose({shaped}, {tuple(order)})"

    # ---- axes --------------------------------------------------------------------------------------------------------

    def _new_axis(self, axis: int) -> str:
        """Write an index that adds an axis to what becomes an image."""
        return "..., None" if axis == CHANNELS else f"{':, ' * (axis - 1)}None"

    def order(self, rank: int) -> Axes:
        """Return the canonical axes in the order that an array of so many has them here; only images have another."""
        return channels_last(rank) if self.is_image(rank) else unpermuted(rank)

    def _place(self, step: Step) -> int:
        return self.order(step.fields["rank"]).index(step.fields["axis"])

    def _axes(self, step: Step) -> tuple[int, ...]:
        order = self.order(step.fields["rank"])
        return tuple(sorted(order.index(axis) for axis in step.fields["axes"]))

    def _in_order(self, numbers: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return what is said of each canonical axis in the order that the axes have here."""
        return self.order(len(numbers)).in_graph(numbers)


def without_bias(step: Step) -> list[str]:
    """Return the argument of a layer without a bias."""
    return only_if(not step.fields["bias"], "use_bias=False")


def kept(share: float) -> float:
    """Return the share of the old average that a norm keeps, which Keras and Flax call momentum."""
    return round(1 - share, 9)  # 1 - 0.7 is 0.30000000000000004
