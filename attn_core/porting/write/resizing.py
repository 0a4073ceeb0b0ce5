"""The functions that resize and crop images: no framework has all of TensorFlow 1's conventions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.porting.write.spelling import call

TORCH = '''def resize(x, size=None, factor=None, nearest=False, corners=False, centers=False):
    """Resize as TensorFlow 1 does: pixel k of n is at k * old / n, or by corners, or by centers."""
    size = size or [n * times for n, times in zip(x.shape[2:], factor, strict=True)]
    for axis, n in zip((2, 3), size, strict=True):
        old = x.shape[axis]
        ends = int(corners and n > 1)
        k = torch.arange(n, dtype=torch.float32 if nearest else x.dtype, device=x.device)
        at = (k + 0.5 * centers) * ((old - ends) / (n - ends))
        if nearest:
            at = (at + 0.5 * corners).floor().clamp(max=old - 1)
            x = x.index_select(axis, at.long())
            continue
        at = at - 0.5 * centers
        share = (at - at.floor()).reshape(-1, *[1] * (3 - axis))
        low, high = ((at.floor() + i).clamp(0, old - 1).long() for i in (0, 1))
        first = x.index_select(axis, low)
        x = first + (x.index_select(axis, high) - first) * share
    return x


'''

JAX = '''def resize(x, size=None, factor=None, nearest=False, corners=False, centers=False):
    """Resize as TensorFlow 1 does: pixel k of n is at k * old / n, or by corners, or by centers."""
    size = size or [n * times for n, times in zip(x.shape[1:3], factor, strict=True)]
    for axis, n in zip((1, 2), size, strict=True):
        old = x.shape[axis]
        ends = int(corners and n > 1)
        k = jnp.arange(n, dtype=jnp.float32 if nearest else x.dtype)
        at = (k + 0.5 * centers) * ((old - ends) / (n - ends))
        if nearest:
            at = jnp.minimum(jnp.floor(at + 0.5 * corners), old - 1)
            x = jnp.take(x, at.astype(int), axis)
            continue
        at = at - 0.5 * centers
        share = (at - jnp.floor(at)).reshape(-1, *[1] * (3 - axis))
        low, high = (jnp.clip(jnp.floor(at) + i, 0, old - 1).astype(int) for i in (0, 1))
        first = jnp.take(x, low, axis)
        x = first + (jnp.take(x, high, axis) - first) * share
    return x


'''

KERAS = '''def resize(x, size=None, factor=None, nearest=False, corners=False, centers=False):
    """Resize as TensorFlow 1 does: pixel k of n is at k * old / n, or by corners, or by centers."""
    ops, shape = keras.ops, keras.ops.shape(x)
    size = size or [n * times for n, times in zip(shape[1:3], factor, strict=True)]
    for axis, n in zip((1, 2), size, strict=True):
        kind = "float32" if nearest else x.dtype
        old, ends = shape[axis], int(corners)
        step = ops.cast(old - ends, kind) / ops.cast(ops.maximum(n - ends, 1), kind)
        at = (ops.cast(ops.arange(n), kind) + 0.5 * centers) * step
        if nearest:
            at = ops.minimum(ops.floor(at + 0.5 * corners), ops.cast(old - 1, kind))
            x = ops.take(x, ops.cast(at, "int32"), axis)
            continue
        at = at - 0.5 * centers
        share = ops.reshape(at - ops.floor(at), (-1, *[1] * (3 - axis)))
        low, high = (ops.clip(ops.cast(ops.floor(at), "int32") + i, 0, old - 1) for i in (0, 1))
        first = ops.take(x, low, axis)
        x = first + (ops.take(x, high, axis) - first) * share
    return x


'''


CROP = {
    "first": '''def crop(x, size):
    """Cut the middle out of images."""
    top, left = ((n - own) // 2 for n, own in zip(x.shape[2:], size, strict=True))
    return x[:, :, top : top + size[0], left : left + size[1]]


''',
    "last": '''def crop(x, size):
    """Cut the middle out of images."""
    top, left = ((n - own) // 2 for n, own in zip(x.shape[1:3], size, strict=True))
    return x[:, top : top + size[0], left : left + size[1]]


''',
}


def resized(fields: Mapping[str, Any], x: str, like: str) -> str:
    """Return the call; `like` is the size of another image, or empty."""
    options = {name: True for name in ("nearest", "corners", "centers") if fields[name]}
    if like:
        return call("resize", x, like, **options)
    if "size" in fields:
        return call("resize", x, fields["size"], **options)
    return call("resize", x, factor=fields["factor"], **options)
