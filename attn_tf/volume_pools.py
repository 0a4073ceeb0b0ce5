"""Pools of volumes in float64, which TensorFlow has no kernels for on the CPU.

A maximum, or a mean over what lies inside, is taken over height and width first and over depth then: two pools of
images give the same. The proof of a ported network runs with these in place of `keras.ops.max_pool` and `average_pool`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import keras

Pool = Callable[..., Any]


@contextmanager
def volumes_in_float64() -> Iterator[None]:
    """Let pools of volumes take float64 on TensorFlow; those of other backends do."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    largest, mean = _of_volumes(keras.ops.max_pool), _of_volumes(keras.ops.average_pool)
    with mock.patch.object(keras.ops, "max_pool", largest), mock.patch.object(keras.ops, "average_pool", mean):
        yield


def _of_volumes(pool: Pool) -> Pool:
    """Return a pool that takes a volume's axes one after the other."""

    def pooled(x: Any, window: Any, strides: Any, padding: str) -> Any:
        if len(x.shape) != 5:
            return pool(x, window, strides, padding=padding)
        (depth, *lengths), (step, *steps) = _each(window), _each(strides)
        images = keras.ops.reshape(x, (-1, *x.shape[2:]))
        flat = pool(images, tuple(lengths), tuple(steps), padding=padding)
        _, height, width, channels = flat.shape
        columns = keras.ops.reshape(flat, (-1, x.shape[1], height * width, channels))
        deep = pool(columns, (depth, 1), (step, 1), padding=padding)
        return keras.ops.reshape(deep, (-1, deep.shape[1], height, width, channels))

    return pooled


def _each(numbers: int | tuple[int, ...]) -> tuple[int, ...]:
    return numbers if isinstance(numbers, tuple) else (numbers,) * 3
