"""Whether two blocks mean the same, however their fields say it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attn_core.spec import Block

# Fields that others, the arrays' shapes or the parts tell as well, in more than one way.
_ELSEWHERE = {"reduction", "hidden", "base_width", "attention", "project", "subsample"}


def meaning(block: Block) -> dict[str, Any]:
    """Return what a block computes, by name: its fields, the shapes of its arrays, and the same of blocks in it."""
    stated = {name: value for name, value in block.config().items() if name not in {*_ELSEWHERE, *block.overruled()}}
    stated |= {"window": block.window} if hasattr(block, "window") else {}
    stated |= {f"the shape of {name}": array.shape for name, array in block.arrays().items()}
    for name, part in block.parts().items():
        if isinstance(part, Block):
            stated |= {f"{name}.{field}": value for field, value in meaning(part).items() if " " not in field}
    return stated


def differences(first: Block, second: Block) -> Iterator[tuple[str, Any, Any]]:
    """Yield each field in which two blocks of one class differ, with both values.

    Of blocks in them, if there is none; or else the shapes of arrays.
    """
    one, other = meaning(first), meaning(second)
    different = [name for name in one | other if one.get(name) != other.get(name)]
    fields = [name for name in different if " " not in name and name in one and name in other]
    for name in [name for name in fields if "." not in name] or fields or different:
        yield name, one.get(name), other.get(name)
