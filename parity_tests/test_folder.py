"""A folder appears whole or not at all, and nothing that is not ours is ever deleted."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from attn_core.porting import folder as module
from attn_core.porting.folder import replacing
from attn_core.weights.files.whole import write_whole

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
    monkeypatch.setattr(module, "exchanged", lambda one, other: False)  # where the system cannot
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


# ---- killed ----------------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from attn_core.porting import folder as module
from test_folder import MANIFEST, write_manifest

out, moment = Path(sys.argv[1]), sys.argv[2]
die = lambda *rest: os.kill(os.getpid(), signal.SIGKILL)
rename = Path.rename
if moment != "in the exchange":
    module.exchanged = lambda one, other: False
if moment == "between the renames":
    Path.rename = lambda path, to: die() if path.name == "new" else rename(path, to)
if moment == "in the exchange":
    exchanged = module.exchanged
    module.exchanged = lambda one, other: die(exchanged(one, other))
with module.replacing(out, MANIFEST) as fresh:
    (fresh / "half").write_text("half")
    if moment == "while writing":
        die()
    write_manifest(fresh, ["half"])
"""


def killed(out: Path, moment: str) -> None:
    """Run a process that is killed then."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run([sys.executable, "-c", KILLED, str(out), moment], env=environment, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def left(root: Path) -> list[str]:
    return [path.name for path in root.iterdir() if path.name.startswith(".attn.")]


@pytest.mark.parametrize("moment", ["while writing", "between the renames", "in the exchange"])
def test_the_next_run_cleans_what_a_killed_one_left(moment: str, tmp_path: Path):
    fill(tmp_path / "out", "x")
    killed(tmp_path / "out", moment)
    assert len(left(tmp_path)) == 1
    if moment == "while writing":
        assert (tmp_path / "out" / "x").exists()
    elif moment == "in the exchange":
        assert (tmp_path / "out" / "half").exists()
    fill(tmp_path / "other", "y")  # any output that is written to the same folder
    assert left(tmp_path) == []
    kept = "half" if moment == "in the exchange" else "x"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {kept, MANIFEST}
    fill(tmp_path / "out", "z")
    assert everything(tmp_path).keys() == {"other", "other/y", f"other/{MANIFEST}", "out", "out/z", f"out/{MANIFEST}"}


def test_there_is_no_moment_without_the_old_folder(tmp_path: Path):
    """Where two folders can be exchanged at once, as on Linux."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "x").touch()
    if not module.exchanged(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system exchanges no folders")
    assert everything(tmp_path).keys() == {"a", "b", "b/x"}


def test_the_folder_of_a_run_that_goes_on_stays(tmp_path: Path):
    with replacing(tmp_path / "one", MANIFEST) as fresh:
        (fresh / "x").write_text("x")
        fill(tmp_path / "two", "y")
        write_manifest(fresh, ["x"])
    assert (tmp_path / "one" / "x").read_text() == "x"
    assert left(tmp_path) == []


@pytest.mark.parametrize("held", ["mine", "target.json", "new"])
def test_folders_of_others_are_never_cleaned(held: str, tmp_path: Path):
    (tmp_path / ".attn.mine").mkdir()
    (tmp_path / ".attn.mine" / held).write_text("precious")
    (tmp_path / ".attn.file").write_text("precious")
    (tmp_path / ".attn.link").symlink_to(tmp_path / ".attn.mine")
    fill(tmp_path / "out", "x")
    assert sorted(left(tmp_path)) == [".attn.file", ".attn.link", ".attn.mine"]
    assert (tmp_path / ".attn.mine" / held).read_text() == "precious"


@pytest.mark.parametrize("target", ["../elsewhere", "/elsewhere", "a/../../elsewhere"])
def test_a_note_that_names_what_lies_outside(target: str, tmp_path: Path):
    (tmp_path / "in" / ".attn.left" / "old").mkdir(parents=True)
    (tmp_path / "in" / ".attn.left" / "target.json").write_text(json.dumps({"made_by": "attn", "target": target}))
    fill(tmp_path / "in" / "out", "x")
    assert left(tmp_path / "in") == [".attn.left"]
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("at_once", [True, False])
def test_modes_are_kept(at_once: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if not at_once:
        monkeypatch.setattr(module, "exchanged", lambda one, other: False)
    fill(tmp_path / "out", "x", "y")
    fresh = {path: mode(path) for path in ((tmp_path / "out"), *(tmp_path / "out").iterdir())}
    (tmp_path / "out").chmod(0o750)
    (tmp_path / "out" / "x").chmod(0o640)
    (tmp_path / "out" / MANIFEST).chmod(0o600)
    fill(tmp_path / "out", "x", "z")
    modes = {path.name: mode(path) for path in (tmp_path / "out").iterdir()}
    assert modes == {"x": 0o640, "z": fresh[tmp_path / "out" / "y"], MANIFEST: 0o600}
    assert mode(tmp_path / "out") == 0o750


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# ---- single files ----------------------------------------------------------------------------------------------------

KILLED_FILE = """
import os, signal, sys
from pathlib import Path
from attn_core.weights.files.whole import write_whole
os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
write_whole(Path(sys.argv[1]), b"new")
"""


def test_the_next_file_cleans_what_a_killed_one_left(tmp_path: Path):
    write_whole(tmp_path / "w", b"old")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", KILLED_FILE, str(tmp_path / "w")], env=environment)
    assert (tmp_path / "w").read_bytes() == b"old"
    assert len(left(tmp_path)) == 1
    (tmp_path / ".attn.mine").write_text("precious")
    write_whole(tmp_path / "other", b"x")
    assert left(tmp_path) == [".attn.mine"]


def test_files_keep_their_modes(tmp_path: Path):
    write_whole(tmp_path / "w", b"1")
    (tmp_path / "plain").touch()
    assert mode(tmp_path / "w") == mode(tmp_path / "plain")
    for own in (0o600, 0o664, 0o444):
        (tmp_path / "w").chmod(own)
        write_whole(tmp_path / "w", b"2")
        assert mode(tmp_path / "w") == own
