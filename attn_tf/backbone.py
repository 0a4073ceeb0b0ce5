"""A network as a functional model, which ends where its user likes: a backbone for another head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import keras

from attn_core.models.stage import Stage
from attn_core.spec import Parts, namespace


class _Reached(Exception):  # noqa: N818 - no failure: all that is wanted was computed
    pass


def backbone(network: Any, shape: Sequence[int | None], outputs: str | Sequence[str] | None = None) -> keras.Model:
    """Return the model of a network's own layers, from an image of this shape to the results of some parts.

    **Raises** `ValueError` for a name that is none of a part that the network calls.
    """
    image = keras.Input(tuple(shape))
    if not network.built:
        network.build(tuple(image.shape))
    names = _names(network, outputs)
    found: dict[str, Any] = {}
    with suppress(_Reached):
        network.block.forward(network.images, _watched(network, names, found), image)
    if missing := [name for name in names if name not in found]:
        raise ValueError(f"{network.name} calls no part {', '.join(missing)}; its parts are {_listed(network)}.")
    single = outputs is None or isinstance(outputs, str)
    return keras.Model(image, found[names[0]] if single else found, name=f"{network.name}_backbone")


def _names(network: Any, outputs: str | Sequence[str] | None) -> list[str]:
    """Return the parts whose results are wanted: without a choice, that of the last stage."""
    if outputs is None:
        stages = [name for name, part in network.block.parts().items() if isinstance(part, Stage)]
        if not stages:
            raise ValueError(f"{network.name} has no stages: name a part in outputs, of {_listed(network)}.")
        return stages[-1:]
    names = [outputs] if isinstance(outputs, str) else list(outputs)
    if unknown := [name for name in names if name not in network.block.parts()]:
        raise ValueError(f"{network.name} has no part {', '.join(unknown)}; its parts are {_listed(network)}.")
    return names


def _listed(network: Any) -> str:
    return ", ".join(network.block.parts())


def _watched(network: Any, names: Sequence[str], found: dict[str, Any]) -> Parts:
    """Return the network's parts, which keep their results, and end the run when the last wanted one is there."""

    def watched(name: str) -> Callable[..., Any]:
        def run(*inputs: Any) -> Any:
            result = getattr(network, name)(*inputs)
            if name in names:
                found[name] = result
                if len(found) == len(names):
                    raise _Reached
            return result

        return run

    return namespace({name: watched(name) for name in network.block.parts()})
