"""What a runtime is, how it is reached, and what it computes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from numpy.typing import ArrayLike, NDArray

from attn_core.interpreters.outcome import Outcome
from attn_core.spec import Block

if TYPE_CHECKING:
    from attn_core.interpreters.trace import Step

# name: (module, the extra that installs its framework)
RUNTIMES = {
    "torch": ("attn_torch.runtime", "torch"),
    "keras": ("attn_tf.runtime", "tf"),
    "linen": ("attn_jax.linen.runtime", "jax"),
    "nnx": ("attn_jax.nnx.runtime", "jax"),
}

BIASED = ("keras", "linen", "nnx")  # there, running variances move to the biased variance of a batch


class MissingRuntimeError(ImportError):
    """The framework of a runtime is not installed."""


class Runtime(Protocol):
    """What the `runtime` module of a backend offers."""

    def run(
        self,
        block: Block,
        weights: Mapping[str, ArrayLike],
        x: NDArray[Any] | tuple[NDArray[Any], ...],
        cotangent: NDArray[Any] | None = None,
        dtype: str = "float32",
        train: bool = False,
    ) -> Outcome:
        """Run the native layer; with a cotangent, also the gradients of sum(output * cotangent).

        x is a tuple for a block of several inputs. Gates are always those outside of training.
        """
        ...

    def steps(
        self,
        block: Block,
        weights: Mapping[str, ArrayLike],
        x: NDArray[Any] | tuple[NDArray[Any], ...],
        dtype: str = "float32",
    ) -> list[Step]:
        """Run the block on the native parts outside of training, and return each step as the runtime lays it out."""
        ...


def runtime(name: str) -> Runtime:
    """Return a runtime by its name, or raise `MissingRuntimeError` that says how to install it."""
    return cast(Runtime, beside(name, "runtime"))


def beside(name: str, file: str) -> Any:
    """Return a module of the package that a runtime is in, such as its `foreign`; or raise as `runtime` does."""
    if name not in RUNTIMES:
        raise ValueError(f"There is no runtime {name!r}; the runtimes are {', '.join(RUNTIMES)}.")
    module, extra = RUNTIMES[name]
    try:
        return import_module(module.removesuffix("runtime") + file)
    except ImportError as error:
        message = f"The runtime {name} cannot be imported ({error}). Install it: pip install 'attn-blocks[{extra}]'"
        raise MissingRuntimeError(message) from error


def refusal(name: str, dtype: str) -> str:
    """Say why a runtime is not held to the bounds of a dtype, if it is not: its module's `refuses` knows."""
    refuses = getattr(runtime(name), "refuses", None)
    return str(refuses(dtype)) if refuses else ""
