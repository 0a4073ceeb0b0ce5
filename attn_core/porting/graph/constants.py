"""The arrays that a graph holds itself, in its Const nodes."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.weights.files.tf1.dtypes import Codec, codec_of, shape_of
from attn_core.weights.files.tf1.errors import CheckpointError

_MOST_REPEATED = 1 << 24  # one stored value may stand for all; a damaged file must not make us fill the memory


def decode(tensor: Any, where: str) -> NDArray[Any]:
    """Return a TensorProto as an array.

    A `CheckpointError`, whose sentence ``where`` opens, says that it contradicts itself or holds no numbers.
    """
    codec = codec_of(tensor.dtype, where)
    if codec.is_string or codec.name.startswith("DT_COMPLEX"):
        raise CheckpointError(f"{where} holds {codec.name}; only real numbers and booleans are read.")
    shape = shape_of(tensor.tensor_shape, where)
    if tensor.tensor_content:
        return _content(tensor.tensor_content, codec, shape, where)
    return _repeated(getattr(tensor, codec.field), codec, shape, where)


def _content(content: bytes, codec: Codec, shape: tuple[int, ...], where: str) -> NDArray[Any]:
    expected = math.prod(shape) * codec.itemsize
    if len(content) != expected:
        raise CheckpointError(f"{where} has shape {list(shape)}, {expected} bytes, but holds {len(content)} bytes.")
    return codec.decode(np.frombuffer(content, np.uint8)).reshape(shape)


def _repeated(field: Any, codec: Codec, shape: tuple[int, ...], where: str) -> NDArray[Any]:
    """Return the listed values; the last one stands for all that are missing, and zero where there is none."""
    count = math.prod(shape)
    if len(field) > count or (count > _MOST_REPEATED and len(field) < count):
        raise CheckpointError(f"{where} has shape {list(shape)}, {count} values, but lists {len(field)} of them.")
    stored = "<u2" if codec.field == "half_val" else codec.stored  # half_val lists bit patterns
    wide = np.array(field[:])
    listed = wide.astype(stored)
    if listed.dtype.kind in "iu" and not np.array_equal(listed, wide):
        raise CheckpointError(f"{where} lists a value that does not fit into {codec.name}.")
    values = np.full(count, listed[-1] if len(listed) else 0, stored)
    values[: len(listed)] = listed
    return codec.decode(values.view(np.uint8)).reshape(shape)
