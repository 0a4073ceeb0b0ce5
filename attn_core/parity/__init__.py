"""The harness that runs one block in several runtimes and compares what comes out.

A runtime is reached by its name and imported only then. Everything that crosses is NumPy in canonical layout.
"""

from attn_core.parity.comparing import compared, error, errors, expected, sample_image, unproven
from attn_core.parity.runtimes import RUNTIMES, MissingRuntimeError, Outcome, Runtime, runtime

__all__ = [
    "RUNTIMES",
    "MissingRuntimeError",
    "Outcome",
    "Runtime",
    "compared",
    "error",
    "errors",
    "expected",
    "runtime",
    "sample_image",
    "unproven",
]
