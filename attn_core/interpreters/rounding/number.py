"""Numbers that carry samples of what rounding did to them, and where they come from."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike, NDArray

from attn_core.interpreters.rounding.arithmetic import HOPELESS, Arithmetic

F = TypeVar("F", bound=Callable[..., Any])
Numbers = NDArray[Any]
Pull = Callable[["Rounded"], "Rounded"]  # from the adjoint of a result to that of what it was made of

FEW_BITS = 8  # of bfloat16
EXACT: Numbers = np.zeros(())
FUNCTIONS: dict[Any, Callable[..., Any]] = {}  # of NumPy: how each acts on rounded numbers
_ages = itertools.count()


def acts(*functions: Any) -> Callable[[F], F]:
    """Register what functions of NumPy do to rounded numbers."""

    def register(own: F) -> F:
        FUNCTIONS.update(dict.fromkeys(functions, own))
        return own

    return register


class Rounded(NDArrayOperatorsMixin):
    """An array of exact values, samples of the errors that a runtime may have made until there, and the way back.

    It takes the place of a NumPy array in `interpreters.reference`: the mathematics is not written a second time.
    `noise` is (samples, *shape), or `EXACT`; `sources` are what the array was made of, each with its `Pull`.
    """

    def __init__(
        self,
        value: ArrayLike,
        noise: Numbers,
        how: Arithmetic,
        sources: tuple[tuple[Rounded, Pull], ...] = (),
        tracked: bool = False,
    ) -> None:
        self.value: Numbers = np.asarray(value, np.float64)
        self.noise = noise
        self.how = how
        self.sources = tuple(source for source in sources if source[0].tracked)
        self.tracked: bool = tracked or bool(self.sources)
        self.kinks: Numbers | None = None  # where the derivative jumps, within the error
        self.whole = self  # what it is the real part of
        self.age = next(_ages)

    @property
    def exact(self) -> bool:
        """Whether nothing was rounded."""
        return self.noise.ndim == 0

    @property
    def spread(self) -> Numbers:
        """The root mean square of the errors."""
        return np.zeros(self.shape) if self.exact else np.asarray(np.sqrt(np.mean(self.noise**2, 0)))

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
        """The same numbers, constant for every derivative."""
        constant = Rounded(self.value, self.noise, self.how)
        constant.whole = self
        return constant

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
        if method != "__call__" or options or ufunc not in FUNCTIONS:
            return NotImplemented
        return FUNCTIONS[ufunc](*inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if function in MOVES:
            return self._moved(lambda x: function(x, *args[1:], **options))
        return FUNCTIONS[function](*args, **options) if function in FUNCTIONS else NotImplemented

    def _moved(self, move: Callable[[Numbers], Numbers]) -> Rounded:
        return self._as("move", move)

    def _as(self, function: Any, *more: Any) -> Rounded:
        result: Rounded = FUNCTIONS[function](self, *more)
        return result


# Functions that put numbers in other places, some perhaps several times.
MOVES: frozenset[Any] = frozenset(
    {
        *(np.moveaxis, np.reshape, np.swapaxes, np.expand_dims, np.squeeze, np.repeat, np.take_along_axis),
        *(np.transpose, np.lib.stride_tricks.sliding_window_view),
    }
)


def stored(
    value: Numbers, inherited: Numbers, how: Arithmetic, *sources: tuple[Rounded, Pull], own: ArrayLike = 0.0
) -> Rounded:
    """Return a result that is rounded once more where it is stored; `own` is the deviation that computing it adds."""
    fresh = how.draw(np.sqrt(np.square(own) + (how.storing * np.abs(value) + how.dtype.smallest) ** 2))
    beyond = (np.abs(value) > how.dtype.largest) & np.isfinite(value)
    noise = np.clip(inherited + fresh, -HOPELESS, HOPELESS)
    return Rounded(value, np.where(beyond, HOPELESS, noise) if beyond.any() else noise, how, sources)


def like(number: Any, how: Arithmetic) -> Rounded:
    """Return a number, or one made of a constant, which is rounded unless a dtype of few bits holds it."""
    if isinstance(number, Rounded):
        return number
    constant = np.asarray(number, np.float64)
    fraction = np.frexp(constant)[0] * 2**FEW_BITS
    if (fraction == np.rint(fraction)).all():
        return Rounded(constant, EXACT, how)
    return Rounded(constant, how.draw(how.storing * np.abs(constant)), how)


def aligned(x: Rounded, ndim: int) -> Numbers:
    """Return the noise of a number as that of one with more axes before its own."""
    return x.noise if x.exact else x.noise.reshape(x.how.samples, *(1,) * (ndim - x.ndim), *x.shape)
