"""The files of a block: what they should be, whether they are, and writing them."""

from __future__ import annotations

import difflib
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import attn_core
from scaffold import cases_file, for_keras, for_linen, for_nnx, for_torch
from scaffold.described import Described, DescriptionError, described
from scaffold.lists import with_block

ROOT = Path(attn_core.__file__).parents[1]
FRAMEWORKS = {
    "attn_torch": for_torch.write,
    "attn_tf": for_keras.write,
    "attn_jax/linen": for_linen.write,
    "attn_jax/nnx": for_nnx.write,
}
BY_HAND, FIRST = "# By hand: ", 5  # lines


def every_block() -> list[Described]:
    """Return the blocks and networks of `attn_core`; its other files hold what these have in common."""
    found = []
    for folder in ("blocks", "models"):
        for path in sorted((ROOT / "attn_core" / folder).glob("[!_]*.py")):
            with suppress(DescriptionError):
                found.append(described(path.stem, folder))
    return found


def files_of(blocks: Iterable[Described]) -> dict[Path, str]:
    """Return what the files of these blocks should be: native classes, lists, and cases where there are none yet."""
    texts: dict[Path, str] = {}
    for block in blocks:
        for package, write in FRAMEWORKS.items():
            texts[ROOT / package / block.folder / f"{block.file}.py"] = write(block)
        cases = ROOT / "parity_tests" / "blocks" / f"{block.file}.py"
        if not cases.exists():
            texts[cases] = cases_file.write(block)
    return formatted(texts) | lists_of(blocks)


def lists_of(blocks: Iterable[Described]) -> dict[Path, str]:
    """Return what the lists should be that hand these blocks on."""
    texts: dict[Path, str] = {}
    for block in blocks:
        for package in ("attn_core", *FRAMEWORKS):
            path = ROOT / package / block.folder / "__init__.py"
            texts[path] = with_block(texts.get(path) or path.read_text(), block)
    return texts


def formatted(texts: Mapping[Path, str]) -> dict[Path, str]:
    """Let ruff lay out these files as all of the project are."""
    with tempfile.TemporaryDirectory() as folder:
        places = {path: Path(folder, path.relative_to(ROOT)) for path in texts}
        for path, place in places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(texts[path])
        command = [sys.executable, "-m", "ruff", "format", "--quiet", "--config", str(ROOT / "pyproject.toml"), folder]
        subprocess.run(command, check=True)
        return {path: place.read_text() for path, place in places.items()}


def by_hand(text: str) -> str:
    """Return why a file is written by hand, if one of its first lines says so."""
    lines = text.splitlines()[:FIRST]
    return next((line.removeprefix(BY_HAND) for line in lines if line.startswith(BY_HAND)), "").strip()


def difference(path: Path, text: str) -> str:
    """Say how a file differs from what it should be, or nothing if it does not or is written by hand."""
    own = path.read_text() if path.exists() else ""
    if own == text or by_hand(own):
        return ""
    name = str(path.relative_to(ROOT))
    lines = difflib.unified_diff(own.splitlines(True), text.splitlines(True), name, f"{name}, as it should be")
    return "".join(lines)
