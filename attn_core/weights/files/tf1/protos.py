"""The protocol buffers of checkpoints that TensorBoard does not ship, and of graphs as far as they are read at once.

They are declared here by field numbers, in a package of our own, so that TensorFlow may live in the same process.
Names are ``bytes`` and enums are integers: a reader of damaged files wants to judge both itself.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from tensorboard.compat.proto import function_pb2, meta_graph_pb2, tensor_shape_pb2, types_pb2, versions_pb2

from attn_core.weights.files.tf1.errors import CheckpointError

_PACKAGE = "attn_core.porting.tf1"
_SHIPPED = (function_pb2, meta_graph_pb2, tensor_shape_pb2, types_pb2, versions_pb2)

_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "BundleHeader": {
        "num_shards": (1, "int32"),
        "endianness": (2, "int32"),
        "version": (3, ".tensorboard.VersionDef"),
    },
    "BundleEntry": {
        "dtype": (1, "int32"),
        "shape": (2, ".tensorboard.TensorShapeProto"),
        "shard_id": (3, "int32"),
        "offset": (4, "int64"),
        "size": (5, "int64"),
        "crc32c": (6, "fixed32"),
        "slices": (7, "repeated TensorSlice"),
    },
    "Extent": {"start": (1, "int64"), "length": (2, "int64")},
    "TensorSlice": {"extent": (1, "repeated Extent")},
    "SliceMeta": {
        "name": (1, "bytes"),
        "shape": (2, ".tensorboard.TensorShapeProto"),
        "type": (3, "int32"),
        "slice": (4, "repeated TensorSlice"),
    },
    "TensorSliceMeta": {"tensor": (1, "repeated SliceMeta"), "versions": (2, ".tensorboard.VersionDef")},
    # Packed floats are one run of little-endian bytes: read as such they need no detour through Python floats.
    "Values": {
        "float_val": (5, "repeated bytes"),
        "double_val": (6, "repeated bytes"),
        "int_val": (7, "repeated int32"),
        "string_val": (8, "repeated bytes"),
        "scomplex_val": (9, "repeated bytes"),
        "int64_val": (10, "repeated int64"),
        "bool_val": (11, "repeated bool"),
        "dcomplex_val": (12, "repeated bytes"),
        "half_val": (13, "repeated int32"),
        "uint32_val": (16, "repeated uint32"),
        "uint64_val": (17, "repeated uint64"),
    },
    "Slice": {"name": (1, "bytes"), "slice": (2, "TensorSlice"), "data": (3, "Values")},
    "TensorSlices": {"meta": (1, "TensorSliceMeta"), "data": (2, "Slice")},
    # The nodes stay bytes, so that each becomes a message of its own: those not needed then give their memory back.
    "Graph": {
        "node": (1, "repeated bytes"),
        "library": (2, ".tensorboard.FunctionDefLibrary"),
        "versions": (4, ".tensorboard.VersionDef"),
    },
    # A map is a list of entries in the file.
    "MetaGraph": {
        "meta_info_def": (1, ".tensorboard.MetaGraphDef.MetaInfoDef"),
        "graph_def": (2, "Graph"),
        "signature_def": (5, "repeated SignatureEntry"),
    },
    "SignatureEntry": {"key": (1, "string"), "value": (2, "Signature")},
    "Signature": {"inputs": (1, "repeated TensorEntry"), "outputs": (2, "repeated TensorEntry")},
    "TensorEntry": {"key": (1, "string"), "value": (2, "TensorInfo")},
    "TensorInfo": {"name": (1, "string"), "dtype": (2, "int32")},
    "SavedModel": {"saved_model_schema_version": (1, "int64"), "meta_graphs": (2, "repeated MetaGraph")},
    "CheckpointState": {
        "model_checkpoint_path": (1, "bytes"),
        "all_model_checkpoint_paths": (2, "repeated bytes"),
        "all_model_checkpoint_timestamps": (3, "repeated double"),
        "last_preserved_timestamp": (4, "double"),
    },
}


def _field(name: str, number: int, kind: str) -> descriptor_pb2.FieldDescriptorProto:
    """Declare one field; ``kind`` is a scalar type, a message of ours or of TensorBoard, perhaps repeated."""
    *repeated, kind = kind.split()
    field = descriptor_pb2.FieldDescriptorProto(name=name, number=number)
    field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
    scalar = f"TYPE_{kind.upper()}"
    if scalar in descriptor_pb2.FieldDescriptorProto.Type.keys():  # noqa: SIM118 - an enum wrapper, not a dict
        field.type = descriptor_pb2.FieldDescriptorProto.Type.Value(scalar)
    else:
        field.type = field.TYPE_MESSAGE
        field.type_name = kind if kind.startswith(".") else f".{_PACKAGE}.{kind}"
    return field


def _declare() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="attn_core/weights/files/tf1/checkpoint.proto", package=_PACKAGE)
    file.dependency.extend(module.DESCRIPTOR.name for module in _SHIPPED)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        message.field.extend(_field(field, *rest) for field, rest in fields.items())
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())


def _class(name: str) -> Any:
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(f"{_PACKAGE}.{name}"))


_declare()
BundleHeader = _class("BundleHeader")
BundleEntry = _class("BundleEntry")
TensorSlice = _class("TensorSlice")
TensorSlices = _class("TensorSlices")
Graph = _class("Graph")
MetaGraph = _class("MetaGraph")
SavedModel = _class("SavedModel")
CheckpointState = _class("CheckpointState")


def parse(kind: Any, data: bytes | memoryview, where: str) -> Any:
    """Parse a message of the class ``kind``.

    **Raises** `CheckpointError`: the bytes are not such a message, ``where`` opens the error's sentence.
    """
    try:
        return kind.FromString(bytes(data))
    except DecodeError:
        raise CheckpointError(f"{where} is damaged: it is not a {kind.DESCRIPTOR.name} message.") from None
