"""The table of operations in `docs/porting.md`: whole, and true of the networks that it names."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from runtimes import GOLDEN, in_keras, need
from test_tf1_cases import OTHERS, TRAINING
from test_tf1_network_forms import DETECTORS, FORMS

from attn_core.porting.graph.graph import read_graph
from attn_core.porting.graph.order import descendants
from attn_core.porting.keras.graph import read_keras_model
from attn_core.porting.network.inference import Options, inference_part
from attn_core.porting.network.rules import RULES
from attn_core.porting.network.steps.observed import SIZES

PAGE = Path(__file__).parent.parent / "docs" / "porting.md"
ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| `([\w/]+)` \|$", re.MULTILINE)


def table() -> dict[str, list[str]]:
    """Return the operations that the page names for each network."""
    found = defaultdict(list)
    for op, place in ROW.findall(PAGE.read_text()):
        found[place].append(op)
    return found


def operations(case: Path) -> set[str]:
    """Return the operations through which the pixels of a recorded network go."""
    file = next(file for ending in ("pb", "meta", "h5") for file in case.glob(f"*.{ending}"))
    graph = read_keras_model(file)[0] if file.suffix == ".h5" else read_graph(file)
    part = inference_part(graph, Options())
    return {part.graph.nodes[name].op for name in descendants(part.graph, [part.image.node], but=SIZES)}


RECORDED = sorted(place for place in table() if "/" in place)


def test_every_operation_has_a_row() -> None:
    named = [op for ops in table().values() for op in ops]
    assert sorted(named) == sorted(RULES)


@pytest.mark.parametrize("place", RECORDED)
def test_recorded_networks_have_their_operations(place: str) -> None:
    assert set(table()[place]) <= operations(GOLDEN / place)


def test_forms_have_their_operations() -> None:
    need("keras-tensorflow")
    for form in sorted(table().keys() - set(RECORDED)):
        assert set(table()[form]) <= in_keras("tensorflow", "tf1_network_forms", "operations", form), form


def test_named_networks_are_ported_by_tests() -> None:
    cases = {f"tf1_cases/{case}" for case in (*TRAINING, *OTHERS)}
    networks = {f"tf1_networks/{folder.name}" for folder in (GOLDEN / "tf1_networks").iterdir()}
    assert table().keys() <= cases | networks | {*FORMS, *DETECTORS}
