"""Group norms without weights, which Keras and Flax have as layers only."""

from __future__ import annotations

SOURCE = '''def group_norm(x, groups, eps):
    """Normalise the channels of each group over all pixels of an image."""
    parts = {arrays}.reshape(x, (*{arrays}.shape(x)[:-1], groups, x.shape[-1] // groups))
    mean = {arrays}.mean(parts, axis=(1, 2, 4), keepdims=True)
    variance = {arrays}.var(parts, axis=(1, 2, 4), keepdims=True)
    return {arrays}.reshape((parts - mean) / {arrays}.sqrt(variance + eps), {arrays}.shape(x))


'''


def helper(body: str, arrays: str) -> str:
    """Return the function if a source calls it, in the words of a library of arrays."""
    return SOURCE.format(arrays=arrays) if "= group_norm(" in body or "return group_norm(" in body else ""
