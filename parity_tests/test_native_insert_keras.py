"""Attention inserted into Keras networks, on every backend of Keras."""

from __future__ import annotations

from pathlib import Path

import pytest
from runtimes import in_keras


def test_inserts(keras_backend: str, tmp_path: Path):
    in_keras(keras_backend, "keras_insert", "inserts", str(tmp_path))


@pytest.mark.parametrize("check", ["creates", "freezes", "mixed", "refused"])
def test_behaviour(check: str):
    in_keras("tensorflow", "keras_insert", check)


def test_places(tmp_path: Path):
    in_keras("tensorflow", "keras_insert", "places", str(tmp_path))
