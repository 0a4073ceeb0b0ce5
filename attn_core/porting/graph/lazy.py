"""Arrays that are made when they are asked for, and not kept: of many large ones, one is in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Key = TypeVar("Key")


class Lazy(Mapping[Key, Array], Generic[Key]):
    """Arrays by key, each made anew whenever it is asked for."""

    def __init__(self, makers: Mapping[Key, Callable[[], Array]]) -> None:
        self._makers = makers

    def __getitem__(self, key: Key) -> Array:
        return self._makers[key]()

    def __iter__(self) -> Iterator[Key]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __contains__(self, key: object) -> bool:
        return key in self._makers

    def __or__(self, arrays: Mapping[Key, Array]) -> Lazy[Key]:
        """Return these and others, which are kept."""
        return Lazy({**self._makers, **{key: partial(np.asarray, array) for key, array in arrays.items()}})
