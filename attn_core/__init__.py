"""The mathematics of vision attention blocks, stated once, and the tools that need no framework.

Names are imported when they are asked for: a plugin of pytest is in this package, and must cost nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attn_core.blocks import *
    from attn_core.ejecting.eject import eject as eject
    from attn_core.interpreters.reference import evaluate as evaluate
    from attn_core.interpreters.shapes import ShapeError as ShapeError
    from attn_core.models import *
    from attn_core.models.registry import list_blocks as list_blocks
    from attn_core.spec import Array as Array
    from attn_core.spec import Block as Block
    from attn_core.spec import Part as Part
    from attn_core.spec import SpecError as SpecError
    from attn_core.weights import WeightsError as WeightsError
    from attn_core.weights import initialise as initialise
    from attn_core.weights import load as load
    from attn_core.weights import save as save
else:
    from attn_core.deferred import deferred

    __getattr__, __dir__ = deferred(
        __name__,
        {
            "attn_core.blocks": None,
            "attn_core.models": None,
            "attn_core.ejecting.eject": ("eject",),
            "attn_core.models.registry": ("list_blocks",),
            "attn_core.interpreters.reference": ("evaluate",),
            "attn_core.interpreters.shapes": ("ShapeError",),
            "attn_core.spec": ("Array", "Block", "Part", "SpecError"),
            "attn_core.weights": ("WeightsError", "initialise", "load", "save"),
        },
        {
            "blocks": "attn_core.blocks",
            "dialects": "attn_core.weights.dialects",
            "models": "attn_core.models",
            "parity": "attn_core.parity",
            "reference": "attn_core.interpreters.reference",
            "shapes": "attn_core.interpreters.shapes",
            "spec": "attn_core.spec",
            "tf1": "attn_core.porting.tf1",
            "weights": "attn_core.weights",
        },
    )
