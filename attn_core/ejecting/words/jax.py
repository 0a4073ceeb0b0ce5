"""The primitives in the words of JAX."""

from __future__ import annotations

from typing import ClassVar

from attn_core.ejecting.words.arrays import ArrayWords
from attn_core.ejecting.words.code import Code, Operand


class JaxWords(ArrayWords):
    """Images are (batch, *space, channels); `flax` is the interface whose pools are called."""

    library = "jnp"
    functions: ClassVar[dict[str, str]] = {
        "relu": "jax.nn.relu",
        "silu": "jax.nn.silu",
        "hard_swish": "jax.nn.hard_swish",
        "sigmoid": "jax.nn.sigmoid",
        "hard_sigmoid": "jax.nn.hard_sigmoid",
        "softmax": "jax.nn.softmax",
        "stop_gradient": "jax.lax.stop_gradient",
    }

    def __init__(self, flax: str) -> None:
        self.flax = flax

    def gelu(self, x: Operand) -> Code:
        """See `Primitives.gelu`."""
        return Code(f"jax.nn.gelu({x.text}, approximate=False)")

    def mean_pool(self, x: Operand, window: int, stride: int) -> Code:
        """See `Primitives.mean_pool`."""
        border = ((window // 2,) * 2,) * x.rank
        return Code(f"{self.flax}.avg_pool({x.text}, {(window,) * x.rank}, {(stride,) * x.rank}, {border})")

    def max_pool(self, x: Operand, window: tuple[int, ...], stride: int | None = None, padding: str = "valid") -> Code:
        """See `Primitives.max_pool`."""
        strides = (stride,) * x.rank if stride else window
        border = str(tuple((n // 2, n // 2) for n in window)) if padding == "symmetric" else f'"{padding.upper()}"'
        options = f"strides={strides}, padding={border}"
        return Code(f"{self.flax}.max_pool({x.text}, {window}, {options})")
