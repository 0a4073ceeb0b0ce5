"""A Linen network with blocks between its layers: a module around it, which intercepts the calls of its layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flax import linen as nn

from attn_core.spec import Block
from attn_jax.linen.layer import build

Places = tuple[tuple[str, str, str, Block], ...]  # a layer's path, the side, the new module's name, its block


class WithAttention(nn.Module):
    """A network with blocks after, or before, some of its layers.

    It shares the network's scope, so that the network's variables are called what they were; the new ones stand beside
    them, as ``stage1_norm_attention``. Blocks with running statistics train if the network is called with
    ``train=True``, ``training=True`` or ``deterministic=False``.
    """

    network: nn.Module
    places: Places

    def setup(self) -> None:
        """Share the network's scope."""
        nn.share_scope(self, self.network)

    @nn.compact
    def __call__(self, *given: Any, **named: Any) -> Any:
        """Call the network."""
        found: dict[str, Callable[..., Any]] = {}
        train = named.get("train", named.get("training", not named.get("deterministic", True)))

        def run(child: str, block: Block, x: Any) -> Any:
            if child not in found:  # a layer that is called twice has one attention
                found[child] = build(block, parent=self, name=child)
            return found[child](x, train=bool(train)).astype(x.dtype)

        with nn.intercept_methods(self._interceptor(run)):
            return self.network(*given, **named)

    def _interceptor(self, run: Callable[[str, Block, Any], Any]) -> Any:
        depth = len(self.path)

        def intercept(call: Any, given: Any, named: Any, context: Any) -> Any:
            path = "/".join(context.module.path[depth:])
            here = [place for place in self.places if place[0] == path and context.method_name == "__call__"]
            for _, side, child, block in here:
                if side == "before":
                    given = (run(child, block, given[0]), *given[1:])
            output = call(*given, **named)
            for _, side, child, block in here:
                if side == "after":
                    output = run(child, block, output)
            return output

        return intercept
