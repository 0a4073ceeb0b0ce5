"""The whole boundary between a block and a runtime: what a block may do to an image.

An *image* has a batch axis, a channel axis and one or more spatial axes, in whatever order the runtime keeps them;
no block numbers them. Everything else has the same axes in every runtime: a *vector* is (batch, channels), *tokens* are
(batch, positions, channels). Sums that could overflow or stick in half precision are taken in float32 or better.

Of equal maxima, the first has the derivative and the others have none: the first pixel in row-major order, the first
channel. The authors' code does so (`AdaptiveMaxPool2d`, `torch.max(x, dim)`, every max pool); `torch.amax`, `jnp.max`
and `tf.reduce_max` share it. After a relu that is no rare case: a dead channel is a channel of equal zeros. Of two
arrays with equal numbers, each has half of the derivative of their `maximum`, as in `torch.max(a, b)`. The derivative
of relu at 0 is 0, that of leaky_relu 0.01. A NaN is the largest number: it goes through maxima and relus as through
anything else.

Each runtime is a set of plain functions with these names; `mypy` checks them against this protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeVar, get_args

T = TypeVar("T")

Activation = Literal["relu", "silu", "gelu", "hard_swish", "leaky_relu"]
ACTIVATIONS: tuple[str, ...] = get_args(Activation)
Gate = Literal["sigmoid", "hard_sigmoid"]
GateOrRelu = Literal["sigmoid", "hard_sigmoid", "relu"]
GATES: tuple[str, ...] = get_args(Gate)
Border = Literal["zeros", "border"]
PADDINGS: tuple[str, ...] = get_args(Border)


class Primitives(Protocol[T]):
    """The functions that a runtime gives to a block's `forward`."""

    # ---- from an image to less of it -------------------------------------------------------------------------------

    def global_mean(self, x: T, /) -> T:
        """Image to vector: the mean of each channel over all spatial axes."""
        ...

    def global_max(self, x: T, /) -> T:
        """Image to vector: the largest value of each channel over all spatial axes."""
        ...

    def global_length(self, x: T, /) -> T:
        """Image to vector: the root of the sum of each channel's squares; the derivative of a channel of zeros is 0."""
        ...

    def channel_mean(self, x: T, /) -> T:
        """Image to image of one channel: the mean of each pixel over its channels."""
        ...

    def channel_max(self, x: T, /) -> T:
        """Image to image of one channel: the largest value of each pixel over its channels."""
        ...

    def adaptive_mean(self, x: T, size: tuple[int | None, ...], /) -> T:
        """Image to image of this size (None keeps an axis): bin i of n means pixels floor(i s / n) to ceil((i + 1) s / n) - 1."""  # noqa: E501
        ...

    def mean_pool(self, x: T, window: int, stride: int, /) -> T:
        """Image to image: the mean of each odd window, moved by stride, of the image with window // 2 zeros around it."""  # noqa: E501
        ...

    def max_pool(self, x: T, window: tuple[int, ...], stride: int | None = None, padding: str = "valid", /) -> T:
        """Image to image: the largest value of windows moved by stride, or side by side.

        `padding` as in `attn_core.spec.windows`; what is added is never the largest. Pixels beyond the last whole
        window are dropped.
        """
        ...

    # ---- from an image to another place ----------------------------------------------------------------------------

    def resize(self, x: T, like: T, align_corners: bool = True, /) -> T:
        """Image to image of another's size, by linear interpolation between pixels' centres.

        If corners are aligned, the outermost pixels' centres come to lie on each other; else their outer edges do, and
        beyond the outermost centres is their pixel. No pixels are averaged where the image becomes smaller.
        """
        ...

    def affine_grid(self, theta: T, size: tuple[int | None, ...], align_corners: bool, like: T | None = None, /) -> T:
        """Matrices (batch, d, d + 1) to sampling points (batch, *size, d): theta applied to (x, y, ..., 1) of each pixel.

        Where the size is None it is that of the image `like`.
        Coordinates run over [-1, 1] with x, the last spatial axis, first; -1 and 1 are the centres of the outermost
        pixels if corners are aligned, else their outer edges.
        """  # noqa: E501
        ...

    def sample(self, x: T, grid: T, padding: str, align_corners: bool, /) -> T:
        """Image and sampling points to image: linear interpolation; outside, "zeros" or the nearest "border" pixel."""
        ...

    def group(self, x: T, groups: int, /) -> T:
        """Image to image: groups of adjacent channels become samples, (batch * groups, channels / groups, ...)."""
        ...

    def ungroup(self, x: T, groups: int, /) -> T:
        """Undo `group`, of an image or a vector."""
        ...

    def channel_shuffle(self, x: T, groups: int, /) -> T:
        """Image to image: with channel c at group g and place i, move it to group i and place g."""
        ...

    def split(self, x: T, pieces: int, /) -> Sequence[T]:
        """Image to images of equally many adjacent channels."""
        ...

    def concat(self, pieces: Sequence[T], /) -> T:
        """Images or vectors to one with the channels of all, in this order."""
        ...

    def depth_to_channels(self, x: T, /) -> T:
        """Image to image or vector of one spatial axis less: the first goes into the channels, which vary slower."""
        ...

    def channels_to_depth(self, x: T, /) -> T:
        """Image or vector to image of one channel and one spatial axis more: the channels become the first one."""
        ...

    def exchange(self, x: T, axis: int, /) -> T:
        """Image to image: the channels and a spatial axis, counted from 0, change places."""
        ...

    def join(self, images: Sequence[T], /) -> T:
        """Images to a line (batch, channels, positions) of all their pixels, in order, one image after the other."""
        ...

    def cut(self, line: T, like: Sequence[T], /) -> Sequence[T]:
        """Line to images of the sizes of others; undoes `join`."""
        ...

    # ---- images with images and vectors ----------------------------------------------------------------------------

    def scale(self, x: T, gate: T, /) -> T:
        """Image and vector to image: multiply every pixel of a channel with the channel's number.

        An image of one channel becomes one of as many as there are numbers.
        """
        ...

    def standardise(self, x: T, eps: float, /) -> T:
        """Image to image: each channel less its mean, over the root of eps plus its variance.

        The variance is the unbiased one, a sum divided by the number of pixels less 1; that of a single pixel is 0.
        """
        ...

    def shift(self, x: T, offset: T, /) -> T:
        """Image and vector to image, as in `scale`: add the channel's number to every pixel of a channel."""
        ...

    def multiply(self, a: T, b: T, /) -> T:
        """Elementwise a * b of two images or other arrays; an axis of length 1 is repeated to fit."""
        ...

    def add(self, a: T, b: T, /) -> T:
        """Elementwise a + b of two images or other arrays; an axis of length 1 is repeated to fit."""
        ...

    def maximum(self, a: T, b: T, /) -> T:
        """Elementwise, the larger of two images or other arrays of one shape; of equal ones, both in equal shares."""
        ...

    # ---- images and ordinary arrays --------------------------------------------------------------------------------

    def to_tokens(self, x: T, /) -> T:
        """Image to tokens: the pixels in order, the last spatial axis fastest."""
        ...

    def to_image(self, tokens: T, like: T, /) -> T:
        """Tokens to an image of the size of another; undoes `to_tokens`."""
        ...

    def flatten(self, x: T, /) -> T:
        """Image to vector (batch, channels * positions), channels slowest, pixels in order."""
        ...

    # ---- ordinary arrays -------------------------------------------------------------------------------------------

    def einsum(self, equation: str, /, *operands: T) -> T:
        """Sum of products in Einstein's notation, with distinct letters for the axes of an operand and no dots."""
        ...

    def softmax(self, x: T, /) -> T:
        """Exponentials over the last axis, divided by their sum."""
        ...

    def attend(self, query: T, key: T, value: T, factor: float, /) -> T:
        """Tokens to tokens: softmax(factor * query keyᵀ) value, without keeping the matrix where the framework can."""
        ...

    def normalise(self, x: T, order: int, eps: float = 1e-6, /) -> T:
        """Divide by eps plus the length of the last axis: its sum (order 1, of values not negative) or Euclidean (2)."""  # noqa: E501
        ...

    def over_positions(self, x: T, tokens: T, /) -> T:
        """Divide an array by the number of positions of tokens."""
        ...

    def take(self, x: T, index: Any, /) -> T:
        """Tokens (batch, n, m) and a constant matrix of integers (n, k) to (batch, n, k): x[b, i, index[i, j]]."""
        ...

    def matrices(self, x: T, rows: int, /) -> T:
        """Vector (batch, rows * n) to matrices (batch, rows, n), row after row."""
        ...

    def batch_mean(self, x: T, /) -> T:
        """Mean over the first axis, which is dropped."""
        ...

    def stop_gradient(self, x: T, /) -> T:
        """Return the same numbers, constant for every derivative."""
        ...

    # ---- elementwise -----------------------------------------------------------------------------------------------

    def linear(self, x: T, factor: float, offset: float = 0.0, /) -> T:
        """Elementwise factor * x + offset, both constants."""
        ...

    def relu(self, x: T, /) -> T:
        """Elementwise max(x, 0)."""
        ...

    def leaky_relu(self, x: T, /) -> T:
        """Elementwise x, or 0.01 x where x is not positive."""
        ...

    def silu(self, x: T, /) -> T:
        """Elementwise x * sigmoid(x), also called swish."""
        ...

    def hard_swish(self, x: T, /) -> T:
        """Elementwise x * hard_sigmoid(x)."""
        ...

    def gelu(self, x: T, /) -> T:
        """Elementwise x * Phi(x) with the exact normal distribution function, not its tanh approximation."""
        ...

    def sigmoid(self, x: T, /) -> T:
        """Elementwise 1 / (1 + exp(-x))."""
        ...

    def hard_sigmoid(self, x: T, /) -> T:
        """Elementwise min(max(x + 3, 0), 6) / 6; not the 0.2 x + 0.5 of Keras 2 and TensorFlow 1."""
        ...


def pointwise(f: Primitives[T], name: str) -> Callable[[T], T]:
    """Return the runtime's elementwise function of that name."""
    function: Callable[[T], T] = getattr(f, name)
    return function
