"""Steps as expressions of PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

from attn_core.porting.network.steps.axes import CHANNELS
from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write import blocks_of_pixels, grids, hard, resizing
from attn_core.porting.write.classes import LayerMember
from attn_core.porting.write.forward import Code
from attn_core.porting.write.padding import is_lopsided
from attn_core.porting.write.regrouping import torch_text
from attn_core.porting.write.resizing import resized
from attn_core.porting.write.spelling import call, cuts, inside, number, piece, quoted
from attn_core.porting.write.writer import Writer

REDUCTIONS = {"mean": "mean", "sum": "sum", "max": "amax", "min": "amin"}
POOLS = {"mean_pool": "avg_pool", "max_pool": "max_pool"}


class TorchSteps(Writer):
    """Writes steps in PyTorch's words; images are (batch, channels, height, width), as steps are."""

    def helpers(self, body: str) -> str:
        """See `Words.helpers`."""
        resize = resizing.TORCH if "resize(" in body else ""
        crop = resizing.CROP["first"] if "crop(" in body else ""
        counted = grids.helpers(grids.TORCH, body)
        return (
            resize
            + crop
            + counted
            + hard.helpers(body, "F.relu6")
            + blocks_of_pixels.torch_helpers(body)
            + super().helpers(body)
        )

    def bound(self, step: Step, parts: list[Code]) -> Code:
        """See `Words.bound`."""
        if "number" not in step.fields:
            return Code(call(f"torch.{step.kind}", *(part.text for part in parts)))
        # torch.maximum takes no plain numbers.
        limit = repr(step.fields["number"])
        value = parts[1] if parts[0].text == limit else parts[0]
        side = "min" if step.kind == "maximum" else "max"
        return Code(f"{value}.clamp({side}={limit})")

    def step(self, step: Step, inputs: list[Code], layer: LayerMember | None) -> Code:
        """See `Words.step`."""
        x = inputs[0]
        if layer is not None:
            return Code(f"self.{layer.name}({_with_border(layer, x)}){_cropped(step)}")
        if step.kind in REDUCTIONS:
            return Code(_reduced(step, x))
        if step.kind in POOLS:
            return Code(_pooled(step, x))
        if step.kind == "resize":
            like = f"{inputs[1]}.shape[2:]" if len(inputs) > 1 else ""
            return Code(resized(step.fields, x.text, like))
        if step.kind == "reshape":
            return Code(torch_text(step, inputs))
        if step.kind == "crop":
            return Code(f"crop({x.text}, {inputs[1]}.shape[2:])")
        if step.kind == "concat":
            images = ", ".join(each.text for each in inputs)
            return Code(f"torch.cat([{images}], {step.fields['axis']})")
        return Code(self._of_one(step, x))

    def _of_one(self, step: Step, x: Code) -> str:
        fields = step.fields
        match step.kind:
            case "softmax" | "log_softmax":
                return f"F.{step.kind}({x.text}, {fields['axis']})"
            case "leaky_relu":
                return f"F.leaky_relu({x.text}, {fields['slope']})"
            case "hard_sigmoid" | "hard_swish":
                return hard.activation(step, x, f"F.{step.kind.replace('_', '')}")
            case "local_response_norm":
                return _local_response_norm(step, x)
            case "clip":
                return f"{x}.clamp({fields['low']}, {fields['high']})"
            case "group_norm":
                return call("F.group_norm", x.text, fields["groups"], eps=fields["eps"])
            case "pad":
                return self._padded(step, x)
            case "cut":
                return f"{x}[{cuts(fields['cuts'])}]"
            case "take":
                return f"{x}[{':, ' * fields['axis']}{list(fields['places'])}]"
            case "flip":
                return f"{x}.flip{fields['axes']}" if len(fields["axes"]) > 1 else f"{x}.flip({fields['axes'][0]})"
            case "grid" | "sizes":
                return grids.counted(step, x, list(fields["axes"]))
            case "slice":
                return _slice(step, x)
            case "space_to_depth" | "depth_to_space":
                return f"{step.kind}({x.text}, {fields['block']})"
            case "permute":
                return f"{x}.permute{fields['axes']}"
            case "squeeze":
                return f"{x}.squeeze({fields['axes']})"
            case "flatten":
                return _flattened(step, x)
            case "expand":
                return f"{x}.unsqueeze({fields['axis']})"
            case "to_image":
                return f"{x}[:, :{', None' * (fields['rank'] - 2)}]"
            case "unflatten":
                return _unflattened(step, x)
        raise self.strange(step)

    def _padded(self, step: Step, x: Code) -> str:
        mode, value = step.fields["mode"], step.fields["value"]
        borders = _innermost_first(step.fields["borders"])
        if mode == "symmetric":
            raise self.strange(step, "torch.nn.functional.pad mirrors without the edge only")
        if mode != "constant":
            return call("F.pad", x.text, borders, mode=quoted(mode))
        named = {"value": value} if value else {}
        return call("F.pad", x.text, borders, **named)


def _with_border(layer: LayerMember, x: Code) -> str:
    """Write what a layer reads, with the borders that it cannot have itself."""
    # PyTorch's convolutions pad both ends of an axis alike.
    if not is_lopsided(layer.padding):
        return x.text
    return call("F.pad", x.text, _innermost_first(layer.padding))


def _cropped(step: Step) -> str:
    """Write how a transposed convolution is cut where its two ends differ, which PyTorch's own does not do."""
    crop = step.fields.get("crop", ())
    return inside(crop, before=2) if is_lopsided(crop) else ""


def _innermost_first(borders: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Return borders as PyTorch wants them: the last axis first, and no axes without any before the first."""
    found = [pixels for before_after in reversed(borders) for pixels in before_after]
    while len(found) > 2 and not any(found[-2:]):
        found = found[:-2]
    return tuple(found)


def _reduced(step: Step, x: Code) -> str:
    axes = step.fields["axes"]
    named = {"keepdim": True} if step.fields["keep"] else {}
    return call(f"{x}.{REDUCTIONS[step.kind]}", axes if len(axes) > 1 else axes[0], **named)


def _pooled(step: Step, x: Code) -> str:
    fields = step.fields
    # SAME follows the size of the image: PyTorch's own pools cannot, those of attn_torch.same do.
    module = "F." if fields["padding"] == "valid" else ""
    name = f"{POOLS[step.kind]}{len(fields['window'])}d"
    return f"{module}{name}({x.text}, {number(fields['window'])}, {number(fields['stride'])})"


def _local_response_norm(step: Step, x: Code) -> str:
    fields = step.fields
    size = 2 * fields["radius"] + 1
    # PyTorch divides alpha by the size, TensorFlow does not; a float32 has seven digits.
    alpha = float(f"{fields['alpha'] * size:.7g}")
    named = {"alpha": alpha, "beta": fields["beta"], "k": fields["bias"]}
    return call("F.local_response_norm", x.text, size, **named)


def _slice(step: Step, x: Code) -> str:
    fields = step.fields
    if "part" in fields:
        return f"{x}.chunk({fields['parts']}, {fields['axis']})[{fields['part']}]"
    before = ":, " * fields["axis"]
    return f"{x}[{before}{piece(fields)}]"


def _flattened(step: Step, x: Code) -> str:
    # `free`: only a dense layer reads it, whose weights are laid out in the order that images have here.
    order = ", ".join(map(str, step.fields["axes"]))
    turned = "" if step.fields["free"] else f".permute(0, {order})"
    return f"{x}{turned}.flatten(1)"


def _unflattened(step: Step, x: Code) -> str:
    axes, sizes = step.fields["axes"], step.fields["sizes"]
    size_of = dict(zip(axes[1:], sizes, strict=True))
    # A single channel may stand anywhere: the numbers lie in memory in the same order.
    if axes.in_order or size_of[CHANNELS] == 1:
        return f"{x}.unflatten(1, {tuple(size_of[axis] for axis in sorted(size_of))})"
    return f"{x}.unflatten(1, {sizes}).permute{axes.places}"
