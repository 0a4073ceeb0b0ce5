"""Asking a layer for its gates while it is called: what its run finds goes to whoever asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from attn_core.interpreters.one_pass import Gates, Pass, one_pass
from attn_core.spec import Block, Parts
from attn_jax import ops

Answers = list[Pass]
Keep = Callable[[Gates], object]  # what a layer does with its own gates where a network is recorded

# The layers that are asked, by their ids: each with where its answers go.
ASKED: ContextVar[dict[int, tuple[Any, Answers]]] = ContextVar("ASKED", default={})  # noqa: B039 (nobody changes it)


@contextmanager
def asking(layer: Any) -> Iterator[Answers]:
    """Let a layer answer with each of its runs."""
    answers: Answers = []
    token = ASKED.set({**ASKED.get(), id(layer): (layer, answers)})
    try:
        yield answers
    finally:
        ASKED.reset(token)


def run(layer: Any, block: Block, parts: Parts, inputs: Sequence[Any], keep: Keep | None) -> Any:
    """Compute a layer's output, and its gates if somebody asks for them."""
    asked = ASKED.get().get(id(layer))
    if asked is None and keep is None:
        return block.forward(ops, parts, *inputs)
    found = one_pass(block, ops, parts, *inputs)
    if asked is not None:
        asked[1].append(found)
    if keep is not None and found.own:
        keep(found.own)
    return found.output
