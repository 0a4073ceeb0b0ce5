"""Files of other formats, given where a TensorFlow 1 checkpoint is expected: what they are, and the way from there."""

from attn_core.weights.files.tf1.errors import CheckpointError
from attn_core.weights.files.tf1.opened import File

_LONGEST = 8  # bytes of a signature, with where it starts
_BLOCKS = "the weights of its attention blocks are read by `attn convert`"
_WHOLE = "a whole model, written by model.save, is ported without --blocks"
# Where a signature starts, what it is, and what is said of its file.
_SIGNATURES = (
    (0, b"\x89HDF\r\n\x1a\n", f"is an HDF5 file, as Keras saves models and weights: {_BLOCKS}; {_WHOLE}"),
    (
        0,
        b"PK\x03\x04",
        f"is a zip archive, as .keras, .npz and PyTorch's files are, and holds no TensorFlow 1 graph: {_BLOCKS}",
    ),
    (0, b"\x80\x02", f"is a pickle, as PyTorch's older files are, no TensorFlow file: {_BLOCKS}"),
    (
        4,
        b"TFL3",
        "is a TensorFlow Lite model, whose graph was rewritten for small devices: "
        "give the checkpoint, frozen graph or SavedModel that it was converted from",
    ),
)


def refuse_other_format(file: File) -> None:
    """Raise `CheckpointError` if the file's first bytes are those of another format; its name does not matter."""
    start = file.read(0, min(file.size, _LONGEST), "its first bytes")
    for offset, signature, sentence in _SIGNATURES:
        if start[offset : offset + len(signature)] == signature:
            raise CheckpointError(f"{file.path} {sentence}.")
