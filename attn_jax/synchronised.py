"""Statistics of a batch that is spread over devices."""

from __future__ import annotations

from typing import Any

from attn_core.spec import Block, Part, parts


def over(axis_name: str | None, part: Part | Block) -> dict[str, Any]:
    """Return the option that lets a part with statistics average over an axis of `pmap`, `vmap` or `shard_map`."""
    if axis_name is None or not isinstance(part, (Block, parts.BatchNorm, parts.Running)):
        return {}
    return {"axis_name": axis_name}
