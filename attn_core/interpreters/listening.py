"""Listening to layers: while somebody listens, the block of a layer tells its gates whenever it is run."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock, get_ident
from typing import Any

from attn_core.interpreters.one_pass import Pass, one_pass
from attn_core.spec import Block

Note = Callable[[Pass], None]  # what a listener does with a run of the block

KEPT = "_listeners"  # where a layer keeps them; while there are any, its block tells them
LOCK = Lock()


@contextmanager
def listening(notes: Iterable[tuple[Any, Note]]) -> Iterator[None]:
    """Let each of these layers tell its runs, those of this thread; others may listen to it at the same time."""
    mine = [(layer, (get_ident(), note)) for layer, note in notes]
    for layer, listener in mine:
        _add(layer, listener)
    try:
        yield
    finally:
        for layer, listener in mine:
            _remove(layer, listener)


# A layer's attributes are set in its dict: frameworks watch what is assigned otherwise.


def _add(layer: Any, listener: tuple[int, Note]) -> None:
    with LOCK:
        attributes = vars(layer)
        if KEPT not in attributes:
            attributes[KEPT] = (attributes["block"], [])
            attributes["block"] = _telling(layer, *attributes[KEPT])
        attributes[KEPT][1].append(listener)


def _remove(layer: Any, listener: tuple[int, Note]) -> None:
    with LOCK:
        attributes = vars(layer)
        block, listeners = attributes[KEPT]
        listeners.remove(listener)
        if not listeners:
            attributes["block"] = block
            del attributes[KEPT]


def _telling(layer: Any, block: Block, listeners: list[tuple[int, Note]]) -> Block:
    """Return an equal block whose `forward`, when the layer runs it on its own parts, tells those who listen."""

    def forward(f: Any, p: Any, *inputs: Any) -> Any:
        present = [note for thread, note in listeners if thread == get_ident()]
        if not present or p is not layer:  # others run it on shapes, or on the arrays of a copy
            return block.forward(f, p, *inputs)
        found = one_pass(block, f, p, *inputs)
        for note in present:
            note(found)
        return found.output

    telling = copy.copy(block)
    vars(telling)["forward"] = forward
    return telling
