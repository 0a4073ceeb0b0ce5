"""Helpers of the files of every framework, in NumPy: what does not depend on an image's numbers."""

from __future__ import annotations

WAYS = '''def ways(*size: int) -> np.ndarray:
    """Number the ways from each position (row) of an image of this size to each other (column)."""
    places = np.indices(size).reshape(len(size), -1)
    steps = places[:, None, :] - places[:, :, None]
    shifted = [step + n - 1 for step, n in zip(steps, size)]
    return np.ravel_multi_index(shifted, [2 * n - 1 for n in size])
'''
