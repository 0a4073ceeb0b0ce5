"""A folder appears whole or not at all, and nothing that is not ours is ever deleted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from attn_core.porting.folder import replacing

MANIFEST = "port.json"


def fill(folder: Path, *files: str) -> None:
    with replacing(folder, MANIFEST) as fresh:
        for file in files:
            (fresh / file).write_text(file)
        write_manifest(fresh, list(files))


def write_manifest(folder: Path, files: object, made_by: object = "attn port 1") -> None:
    (folder / MANIFEST).write_text(json.dumps({"made_by": made_by, "files": files}))


def everything(root: Path) -> dict[str, bytes | None]:
    """Return every path below a folder with what it holds."""
    return {str(p.relative_to(root)): p.read_bytes() if p.is_file() else None for p in sorted(root.rglob("*"))}


def refusal(folder: Path) -> str:
    """Return why the folder is not replaced; nothing around it may have changed."""
    before = everything(folder.parent)
    with pytest.raises(FileExistsError) as caught:
        fill(folder, "new")
    assert everything(folder.parent) == before
    return str(caught.value)


@pytest.mark.parametrize("name", ["out", "a/b/out", "out/", "ü out"])
def test_new_folder(tmp_path: Path, name: str):
    fill(Path(f"{tmp_path}/{name}"), "x", "y")
    assert {path.name for path in (tmp_path / name).iterdir()} == {"x", "y", MANIFEST}
    assert {path.name for path in tmp_path.iterdir()} == {name.split("/")[0]}


def test_empty_folder_and_earlier_output_are_replaced_whole(tmp_path: Path):
    (tmp_path / "out").mkdir()
    fill(tmp_path / "out", "x", "y")
    fill(tmp_path / "out", "z")
    assert everything(tmp_path).keys() == {"out", "out/z", f"out/{MANIFEST}"}


@pytest.mark.parametrize("files", [["../kept", "a", "/etc"], ["..", ".", ""], [1, None, {}], "abc"])
def test_manifest_that_names_what_lies_outside(tmp_path: Path, files: object):
    (tmp_path / "kept").write_text("precious")
    fill(tmp_path / "out", "a")
    write_manifest(tmp_path / "out", [*files, "a"])
    fill(tmp_path / "out", "b")
    assert everything(tmp_path).keys() == {"kept", "out", "out/b", f"out/{MANIFEST}"}


def test_foreign_file(tmp_path: Path):
    fill(tmp_path / "out", "a")
    (tmp_path / "out" / "thesis.tex").write_text("precious")
    sentence = f"{tmp_path / 'out'} holds 'thesis.tex', which this command did not write"
    assert refusal(tmp_path / "out") == f"{sentence}: empty it or give another folder."


@pytest.mark.parametrize("made_by", ["webpack", None, 3])
def test_foreign_manifest(tmp_path: Path, made_by: object):
    """Another program's file of the same name is no leave to delete it, or what it names."""
    (tmp_path / "out").mkdir()
    write_manifest(tmp_path / "out", [], made_by)
    assert "holds 'port.json', which this command did not write" in refusal(tmp_path / "out")


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"made_by": "attn port 1"}', "\0"])
def test_damaged_manifest(tmp_path: Path, text: str):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MANIFEST).write_text(text)
    assert "holds 'port.json', which this command did not write" in refusal(tmp_path / "out")


def test_folder_or_link_under_the_name_of_a_file(tmp_path: Path):
    for name in ("data", "link"):
        fill(tmp_path / name, "x")
        (tmp_path / name / "x").unlink()
    (tmp_path / "data" / "x").mkdir()
    (tmp_path / "data" / "x" / "kept").write_text("precious")
    (tmp_path / "link" / "x").symlink_to(tmp_path / "data" / "x" / "kept")
    assert "holds 'x', which this command did not write" in refusal(tmp_path / "data")
    assert "holds 'x', which this command did not write" in refusal(tmp_path / "link")


def test_manifest_that_would_never_end(tmp_path: Path):
    for name in ("pipe", "device"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "pipe" / MANIFEST)
    (tmp_path / "device" / MANIFEST).symlink_to("/dev/zero")
    assert "holds 'port.json'" in refusal(tmp_path / "pipe")
    assert "holds 'port.json'" in refusal(tmp_path / "device")


def test_file_in_the_way(tmp_path: Path):
    (tmp_path / "file").write_text("precious")
    sentence = f"{tmp_path / 'file'} is no folder; give a folder for the output."
    assert refusal(tmp_path / "file") == sentence
    assert refusal(tmp_path / "file" / "out") == sentence


def test_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    rule = "is the current folder or a mount point, which cannot be replaced: give a folder inside it."
    assert refusal(Path()) == f". {rule}"
    assert refusal(tmp_path / "here") == f"{tmp_path / 'here'} {rule}"
    assert everything(tmp_path) == {"here": None}


def test_links_stay_links(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("later")
    fill(tmp_path / "link", "x")
    fill(tmp_path / "dangling", "y")
    assert os.readlink(tmp_path / "link") == "real"
    assert os.readlink(tmp_path / "dangling") == "later"
    assert (tmp_path / "real" / "x").read_text() == "x"
    assert (tmp_path / "later" / "y").read_text() == "y"


def test_link_to_itself(tmp_path: Path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="loop"):
        fill(tmp_path / "loop", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["loop"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), RuntimeError("?")])
def test_error_while_writing_changes_nothing(tmp_path: Path, error: BaseException):
    fill(tmp_path / "out", "x")
    before = everything(tmp_path)

    def write(folder: Path) -> None:
        with replacing(folder, MANIFEST) as fresh:
            (fresh / "half").write_text("half")
            raise error

    for folder in (tmp_path / "out", tmp_path / "new" / "out"):
        with pytest.raises(type(error)):
            write(folder)
        assert everything(tmp_path) == before


def test_full_disk_names_the_folder(tmp_path: Path):
    with pytest.raises(OSError, match="No space") as caught, replacing(tmp_path / "out", MANIFEST):
        raise OSError(28, "No space left on device")
    assert str(caught.value) == f"[Errno 28] No space left on device: '{tmp_path / 'out'}'"


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), KeyboardInterrupt()])
def test_interrupted_exchange_restores(tmp_path: Path, error: BaseException, monkeypatch: pytest.MonkeyPatch):
    """The worst moment: the old folder is moved away and the new one not yet there."""
    fill(tmp_path / "out", "x")
    before, rename = everything(tmp_path), Path.rename

    def failing(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise error
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(type(error)):
        fill(tmp_path / "out", "y")
    assert everything(tmp_path) == before


def test_file_that_appears_meanwhile_is_kept(tmp_path: Path):
    fill(tmp_path / "out", "x")

    def write() -> None:
        with replacing(tmp_path / "out", MANIFEST):
            (tmp_path / "out" / "late").write_text("precious")

    with pytest.raises(FileExistsError, match="late"):
        write()
    assert everything(tmp_path).keys() == {"out", "out/late", "out/x", f"out/{MANIFEST}"}


def test_parent_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def denied(path: str, mode: int = 0o777) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("tempfile._os.mkdir", denied)
    with pytest.raises(PermissionError) as caught:
        fill(tmp_path / "out", "x")
    assert str(caught.value) == f"[Errno 13] Permission denied: '{tmp_path / 'out'}'"
