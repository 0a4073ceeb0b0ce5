"""TensorFlow's data types and shapes, as they lie in checkpoints.

bfloat16 becomes float32, which holds each of its numbers exactly; quantised integers become the plain integers they
are stored as; strings become arrays of ``bytes``. Types that hold no values (resource, variant) and those younger than
TensorFlow 1 (float8, int4, ...) are refused.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto import types_pb2

from attn_core.weights.files.tf1.errors import CheckpointError

_MAX_RANK = 32  # NumPy 1 has no more


class Codec(NamedTuple):
    """How one data type is stored, what it becomes, and which field holds it in V1 files."""

    name: str
    stored: str
    result: np.dtype[Any]
    field: str

    @property
    def itemsize(self) -> int:
        """Bytes of one stored number; of a string, which takes at least its length, the fewest it may take."""
        return 1 if self.is_string else np.dtype(self.stored).itemsize

    @property
    def is_string(self) -> bool:
        """Whether the values are byte strings."""
        return self.name == "DT_STRING"

    def decode(self, raw: NDArray[np.uint8]) -> NDArray[Any]:
        """Turn stored bytes into numbers, flat and of the type ``result``; nothing is copied where nothing changes."""
        values = raw.view(self.stored)
        if self.name == "DT_BFLOAT16":  # the upper half of a float32
            halves = np.zeros(2 * values.size, "<u2")
            halves[1::2] = values
            values = halves.view("<f4")
        return values.astype(self.result, copy=False)


_CODECS = {
    "DT_FLOAT": ("<f4", "float32", "float_val"),
    "DT_DOUBLE": ("<f8", "float64", "double_val"),
    "DT_HALF": ("<f2", "float16", "half_val"),
    "DT_BFLOAT16": ("<u2", "float32", "half_val"),
    "DT_INT8": ("<i1", "int8", "int_val"),
    "DT_INT16": ("<i2", "int16", "int_val"),
    "DT_INT32": ("<i4", "int32", "int_val"),
    "DT_INT64": ("<i8", "int64", "int64_val"),
    "DT_UINT8": ("<u1", "uint8", "int_val"),
    "DT_UINT16": ("<u2", "uint16", "int_val"),
    "DT_UINT32": ("<u4", "uint32", "uint32_val"),
    "DT_UINT64": ("<u8", "uint64", "uint64_val"),
    "DT_QINT8": ("<i1", "int8", "int_val"),
    "DT_QINT16": ("<i2", "int16", "int_val"),
    "DT_QINT32": ("<i4", "int32", "int_val"),
    "DT_QUINT8": ("<u1", "uint8", "int_val"),
    "DT_QUINT16": ("<u2", "uint16", "int_val"),
    "DT_BOOL": ("<u1", "bool", "bool_val"),
    "DT_COMPLEX64": ("<c8", "complex64", "scomplex_val"),
    "DT_COMPLEX128": ("<c16", "complex128", "dcomplex_val"),
    "DT_STRING": ("O", "object", "string_val"),
}


def codec_of(number: int, where: str) -> Codec:
    """Return the codec of TensorFlow's type ``number``.

    **Raises** `CheckpointError`: no array can hold this type, ``where`` opens the message.
    """
    name = types_pb2.DataType.Name(number) if number in types_pb2.DataType.values() else f"number {number}"
    if name not in _CODECS:
        raise CheckpointError(f"{where} has the data type {name}, which cannot be read as an array.")
    stored, result, field = _CODECS[name]
    return Codec(name, stored, np.dtype(result), field)


def shape_of(proto: Any, where: str) -> tuple[int, ...]:
    """Return the shape in a TensorShapeProto.

    **Raises** `CheckpointError`: a size is unknown or no array can have this shape, ``where`` opens the message.
    """
    shape = tuple(dim.size for dim in proto.dim)
    if proto.unknown_rank or len(shape) > _MAX_RANK or any(size < 0 for size in shape):
        raise CheckpointError(f"{where} has no complete shape of at most {_MAX_RANK} axes.")
    if math.prod(max(size, 1) for size in shape) >= 1 << 59:  # times 16 bytes it must stay below 2**63
        raise CheckpointError(f"{where} has the shape {shape}, which is larger than any array.")
    return shape
