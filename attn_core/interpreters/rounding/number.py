"""Numbers that carry samples of what rounding did to them, and where they come from."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike, NDArray

from attn_core.interpreters.rounding.acting import FUNCTIONS, MOVE, MOVES
from attn_core.interpreters.rounding.arithmetic import Arithmetic

Numbers = NDArray[Any]
Pull = Callable[["Rounded"], "Rounded"]  # from the adjoint of a result to that of what it was made of

EXACT: Numbers = np.zeros(())  # the noise of what nothing has rounded: adding it changes no shape and costs nothing
_ages = itertools.count()


class Origin(NamedTuple):
    """What a number was made of, and the way back to it."""

    number: Rounded
    pull: Pull


class Rounded(NDArrayOperatorsMixin):
    """An array of exact values, samples of the errors that a runtime may have made until there, and the way back.

    It takes the place of a NumPy array in `interpreters.reference`: the mathematics is not written a second time.
    `noise` is (samples, *shape), or `EXACT`. `tracked` are those that gradients are wanted of, and all made of them.
    """

    def __init__(
        self,
        value: ArrayLike,
        noise: Numbers,
        how: Arithmetic,
        sources: tuple[Origin, ...] = (),
        tracked: bool = False,
    ) -> None:
        self.value: Numbers = np.asarray(value, np.float64)
        self.noise = noise
        self.how = how
        # What no gradient is wanted of needs no way back, and without one its memory is freed when it was used.
        self.sources = tuple(source for source in sources if source.number.tracked)
        self.tracked: bool = tracked or bool(self.sources)
        self.age = next(_ages)  # what is made of another is younger: the order in which adjoints are done

    @property
    def exact(self) -> bool:
        """Whether nothing was rounded."""
        return self.noise.ndim == 0

    @property
    def spread(self) -> Numbers:
        """The root mean square of the errors."""
        if self.exact:
            return np.zeros(self.shape)
        square = np.mean(self.noise**2, 0)
        return np.asarray(np.sqrt(square))

    @property
    def bound(self) -> Numbers:
        """What the errors do not exceed, but for the chance that `how` was made for."""
        return self.how.width * self.spread

    # ---- what an array has -------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.value.ndim

    @property
    def size(self) -> int:
        """The number of numbers."""
        return self.value.size

    @property
    def dtype(self) -> Any:
        """That of the values."""
        return self.value.dtype

    @property
    def real(self) -> Rounded:
        """The same numbers, constant for every derivative.

        The reference takes real parts for that: under its complex steps, the imaginary part is the derivative.
        """
        return Rounded(self.value, self.noise, self.how)

    @property
    def T(self) -> Rounded:  # noqa: N802 (as in NumPy)
        """The transpose."""
        return self._moved(np.transpose)

    __hash__ = object.__hash__

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, index: Any) -> Rounded:
        return self._moved(lambda x: x[index])

    def reshape(self, *shape: Any) -> Rounded:
        """See `numpy.reshape`."""
        return self._moved(lambda x: x.reshape(*shape))

    def swapaxes(self, a: int, b: int) -> Rounded:
        """See `numpy.swapaxes`."""
        return self._moved(lambda x: x.swapaxes(a, b))

    def squeeze(self, axis: Any) -> Rounded:
        """See `numpy.squeeze`."""
        return self._moved(lambda x: x.squeeze(axis))

    def spread_to(self, shape: tuple[int, ...]) -> Rounded:
        """See `numpy.broadcast_to`."""
        return self._moved(lambda x: np.broadcast_to(x, shape))

    def sum(self, axis: Any = None, keepdims: bool = False) -> Rounded:
        """See `numpy.sum`."""
        return self._as(np.sum, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Rounded:
        """See `numpy.mean`."""
        return self._as(np.mean, axis, keepdims)

    def max(self, axis: Any, keepdims: bool = False) -> Rounded:
        """See `numpy.max`."""
        return self._as(np.max, axis, keepdims)

    def astype(self, dtype: Any) -> Rounded:
        """Return itself: values are in float64."""
        return self

    # ---- what NumPy asks ---------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        # Reductions of ufuncs, and options as `out` or `where`, do not come up in the reference.
        if method != "__call__" or options or ufunc not in FUNCTIONS:
            return NotImplemented
        return FUNCTIONS[ufunc](*inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if function in MOVES:
            places = args[1:]
            return self._moved(lambda x: function(x, *places, **options))
        if function not in FUNCTIONS:
            return NotImplemented
        return FUNCTIONS[function](*args, **options)

    def _moved(self, move: Callable[[Numbers], Numbers]) -> Rounded:
        return self._as(MOVE, move)

    def _as(self, function: Any, *more: Any) -> Rounded:
        result: Rounded = FUNCTIONS[function](self, *more)
        return result
