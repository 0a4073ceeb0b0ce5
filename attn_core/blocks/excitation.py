"""What blocks with a gate for each channel, computed from the means by a perceptron, have in common."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar

from attn_core.blocks.bottleneck import Bottleneck
from attn_core.spec import Parts, require_choice, require_type
from attn_core.spec.primitives import ACTIVATIONS, GATES, Activation, Primitives, pointwise

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class Excitation(Bottleneck):
    """Two dense layers on the spatial means, with functions between and after them.

    **Fields**: those of `Bottleneck`; ``activation``, the function between; ``gate``, the one after. **Raises**
    `SpecError` if there is no hidden unit or no such function.
    """

    possible: ClassVar[tuple[str, ...]] = GATES

    _: KW_ONLY
    activation: Activation = "relu"
    gate: str = "sigmoid"  # each block says which ones it has

    def __post_init__(self) -> None:
        require_type(self, activation=str, gate=str)
        super().__post_init__()
        require_choice(self, "activation", ACTIVATIONS)
        require_choice(self, "gate", self.possible)

    def flat(self) -> tuple[str, ...]:
        """Name the second layer; of a relu of zeros nothing would ever be learned."""
        return () if self.gate == "relu" else ("expand",)

    def squeeze(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute what the activation is taken of, a vector (batch, hidden units)."""
        hidden: T = p.reduce(f.global_mean(x))
        return hidden

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute the gate as `channel`, a vector (batch, channels)."""
        hidden = pointwise(f, self.activation)(self.squeeze(f, p, x))
        return {"channel": pointwise(f, self.gate)(p.expand(hidden))}
