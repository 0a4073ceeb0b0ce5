"""The functions that move blocks of pixels into channels and back.

PyTorch's `pixel_shuffle` counts channels before the places in a block, TensorFlow after them.
"""

from __future__ import annotations

KINDS = ("space_to_depth", "depth_to_space")

TORCH = {
    "space_to_depth": '''def space_to_depth(x, block):
    """Move blocks of pixels into channels."""
    n, channels, height, width = x.shape
    x = x.reshape(n, channels, height // block, block, width // block, block)
    return x.permute(0, 3, 5, 1, 2, 4).reshape(n, -1, height // block, width // block)


''',
    "depth_to_space": '''def depth_to_space(x, block):
    """Move channels into blocks of pixels."""
    n, _, height, width = x.shape
    x = x.reshape(n, block, block, -1, height, width)
    return x.permute(0, 3, 4, 1, 5, 2).reshape(n, -1, height * block, width * block)


''',
}

CHANNELS_LAST = {
    "space_to_depth": '''def space_to_depth(x, block):
    """Move blocks of pixels into channels."""
    _, height, width, channels = {shape}
    x = {arrays}.reshape(x, (-1, height // block, block, width // block, block, channels))
    x = {arrays}.transpose(x, (0, 1, 3, 2, 4, 5))
    return {arrays}.reshape(x, (-1, height // block, width // block, block * block * channels))


''',
    "depth_to_space": '''def depth_to_space(x, block):
    """Move channels into blocks of pixels."""
    _, height, width, channels = {shape}
    x = {arrays}.reshape(x, (-1, height, width, block, block, channels // block**2))
    x = {arrays}.transpose(x, (0, 1, 3, 2, 4, 5))
    return {arrays}.reshape(x, (-1, height * block, width * block, channels // block**2))


''',
}


def torch_helpers(body: str) -> str:
    """Return the functions that a source calls."""
    return "".join(text for kind, text in TORCH.items() if f"{kind}(" in body)


def channels_last_helpers(body: str, arrays: str) -> str:
    """Return the functions that a source calls, in the words of a library of arrays."""
    shape = "keras.ops.shape(x)" if arrays == "keras.ops" else "x.shape"
    used = [text for kind, text in CHANNELS_LAST.items() if f"{kind}(" in body]
    return "".join(text.format(arrays=arrays, shape=shape) for text in used)
