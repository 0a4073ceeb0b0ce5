"""The file of a block's cases, with what only a person knows left to fill in."""

from __future__ import annotations

from contextlib import suppress
from string import Template

from attn_core.interpreters.shapes import ShapeError, output_shape
from attn_core.parity.subjects import standard_shapes
from attn_core.spec import SpecError
from scaffold.described import Described, DescriptionError
from scaffold.texts import listed

TEXT = Template('''\
"""`$name`: cases, recordings, and the paper's equations."""

from __future__ import annotations

import numpy as np
from cases import Case

import attn_core as core

BLOCK = core.$name

# Delete each line when it is done, at last the list: until then a test fails with these sentences.
TO_FILL_IN = (
    "CASES: small ones for each field, for lines, volumes and one pixel; a seed with which every weight matters.",
    "RECORDINGS: of the authors' code, made by parity_tests/golden/record.py, and its dialect.",
    "EXPRESSIBLE: by dialect, blocks that it can express, each with the options that its sizes do not tell.",
    "REFUSED: configurations that cannot be built, and the whole sentence that says so.",
    "RESOLVED: configurations, and what follows from them where a field is left out. What stays empty goes.",
    "naive: the paper's equations, one number after the other.",
)

CASES = {
    "$file": Case(BLOCK($values), $shape$more),
}

RECORDINGS = []

EXPRESSIBLE = {}

REFUSED = {}

RESOLVED = {}


def naive(block: core.$name, w: dict[str, np.ndarray], $arguments) -> np.ndarray:
    """One number after the other."""
    raise NotImplementedError("write the equations of $name in plain loops")
''')
SMALL = (4, 6, 8, 12, 16, 32, 64, 128)  # what fields without a default may be


def write(block: Described) -> str:
    """Return the file's text."""
    values = _required(block)
    image, *others = standard_shapes(block.block(**values))
    others = others[block.block.images - 1 :]  # a case makes the images itself
    more = [f"np.random.default_rng([0, 3]).normal(size={shape})" for shape in others]
    return TEXT.substitute(
        name=block.name,
        file=block.file,
        values=listed(f"{field}={value}" for field, value in values.items()),
        shape=image,
        more=f", more=({listed(more)},)" if more else "",
        arguments=listed(f"{name}: np.ndarray" for name in block.inputs),
    )


def _required(block: Described) -> dict[str, int]:
    """Return small values for the fields without a default, with which the block can be made and run."""
    names = [field.name for field in block.fields if not field.default]
    for size in SMALL:
        values = dict.fromkeys(names, size)
        with suppress(SpecError, ShapeError, TypeError):
            made = block.block(**values)
            output_shape(made, *standard_shapes(made))
            return values
    raise DescriptionError(f"{block.name}: no number of {SMALL} fits all of {', '.join(names)}; give them a default.")
