"""The harness that runs one block in several runtimes and compares what comes out.

A runtime is reached by its name and imported only then. Everything that crosses is NumPy in canonical layout.
Names are imported when they are asked for: the plugin of pytest is in this package, and must cost nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attn_core.interpreters.images import sample_image
    from attn_core.interpreters.outcome import Outcome
    from attn_core.parity.comparing import compared, error, errors, expected, unproven
    from attn_core.parity.foreign.asserting import ParityError, assert_parity
    from attn_core.parity.foreign.layer import ForeignError
    from attn_core.parity.runtimes import RUNTIMES, MissingRuntimeError, Runtime, runtime
else:
    from attn_core.deferred import deferred

    __getattr__, __dir__ = deferred(
        __name__,
        {
            "attn_core.interpreters.images": ("sample_image",),
            "attn_core.interpreters.outcome": ("Outcome",),
            "attn_core.parity.comparing": (
                "compared",
                "error",
                "errors",
                "expected",
                "unproven",
            ),
            "attn_core.parity.foreign.asserting": ("ParityError", "assert_parity"),
            "attn_core.parity.foreign.layer": ("ForeignError",),
            "attn_core.parity.runtimes": ("RUNTIMES", "MissingRuntimeError", "Runtime", "runtime"),
        },
    )

__all__ = [
    "RUNTIMES",
    "ForeignError",
    "MissingRuntimeError",
    "Outcome",
    "ParityError",
    "Runtime",
    "assert_parity",
    "compared",
    "error",
    "errors",
    "expected",
    "runtime",
    "sample_image",
    "unproven",
]
