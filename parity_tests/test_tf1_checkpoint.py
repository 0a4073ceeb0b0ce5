"""Reading whole checkpoints: TensorFlow 1.15's recordings, the paths that lead to them, laziness and memory."""

import os
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tf1_files as files
from golden.tf1_formats import values as rule
from tf1_files import FORMATS, GOLDEN, fingerprint

from attn_core.porting.tf1 import CheckpointError, read_checkpoint
from attn_core.weights.files.tf1.locate import locate
from attn_core.weights.files.tf1.table import Table

SE_BLOCK = GOLDEN / "tf1" / "se_block"
SE_NAMES = ["dense/bias", "dense/kernel", "dense_1/bias", "dense_1/kernel"]
SAVED_MODEL = GOLDEN / "tf1" / "se_block_saved_model"
ATTRIBUTE = "/.ATTRIBUTES/VARIABLE_VALUE"


def expected_dtypes(v1: bool) -> dict[str, np.ndarray]:
    kinds = [dtype for dtype in rule.DTYPES if not (v1 and dtype in rule.NOT_IN_V1)]
    names = [(f"{dtype}/{label}", dtype, shape) for dtype in kinds for label, shape in rule.SHAPES.items()]
    return {name: rule.values(name, dtype, shape) for name, dtype, shape in names}


def expected_pieces(v1: bool) -> dict[str, np.ndarray]:
    full = {name: rule.values(name, rule.piece_dtype(name), shape) for name, (shape, _) in rule.PIECES.items()}
    if v1:
        del full["bits"]  # bfloat16
    return full | {"plain": rule.values("plain", "float32", (2, 2))}


def expected_shards() -> dict[str, np.ndarray]:
    layers = {f"layer_{i}/kernel": rule.values(f"layer_{i}/kernel", "float32", (4, i + 1)) for i in range(6)}
    return layers | {"embedding": rule.values("embedding", "float32", (10, 3))}


EXPECTED = {
    "dtypes/model.ckpt": expected_dtypes(v1=False),
    "dtypes_v1/model.ckpt": expected_dtypes(v1=True),
    "pieces/model.ckpt": expected_pieces(v1=False),
    "pieces_v1/model.ckpt": expected_pieces(v1=True),
    "sharded/model.ckpt-7": expected_shards(),
    "many/model.ckpt": {name: rule.many_value(name) for name in rule.many_names()},
    "many_v1/model.ckpt": {name: rule.many_value(name) for name in rule.many_names(v1=True)},
}


@pytest.mark.parametrize("path", EXPECTED)
def test_values_are_tensorflows(path):
    checkpoint, expected = read_checkpoint(FORMATS / path), EXPECTED[path]
    assert list(checkpoint) == sorted(expected)
    for name, array in checkpoint.items():
        wanted = np.asarray(expected[name])
        assert fingerprint(array) == fingerprint(wanted), name
        assert (checkpoint.shape(name), checkpoint.dtype(name)) == (wanted.shape, wanted.dtype), name
        assert array.flags.writeable, name


def test_recordings_are_not_vacuous():
    dtypes = EXPECTED["dtypes/model.ckpt"]
    assert len(dtypes) == 21 * 5
    assert len({repr(fingerprint(array)) for array in EXPECTED["pieces/model.ckpt"].values()}) == 8
    assert np.isnan(dtypes["bfloat16/matrix"]).any()
    assert dtypes["uint64/vector"][0] == 2**64 - 1
    assert len(list(FORMATS.glob("sharded/*.data-*"))) == 3


def test_object_based_checkpoint():
    checkpoint = read_checkpoint(FORMATS / "objects/model.ckpt")
    assert list(checkpoint) == ["_CHECKPOINTABLE_OBJECT_GRAPH", "kernel" + ATTRIBUTE, "step" + ATTRIBUTE]
    assert fingerprint(checkpoint["kernel" + ATTRIBUTE]) == fingerprint(rule.values("kernel", "float32", (3, 2)))
    assert checkpoint["step" + ATTRIBUTE] == np.int64(41)
    graph = checkpoint["_CHECKPOINTABLE_OBJECT_GRAPH"]
    assert graph.shape == ()
    assert b"VARIABLE_VALUE" in graph.item()


def test_v1_and_v2_of_the_same_weights_agree():
    old = read_checkpoint(GOLDEN / "tf1/se_block_v1_format/model.ckpt")
    assert {name: fingerprint(array) for name, array in old.items()} == files.contents(SE_BLOCK)
    assert list(old) == SE_NAMES


@pytest.mark.parametrize("folder", ["dtypes_v1", "pieces_v1", "many_v1"])
def test_snappy_changes_nothing(tmp_path, folder):
    """TensorFlow 1.15 does not compress, older versions did: compress a recording and read it again."""
    plain = FORMATS / folder / "model.ckpt"
    path = tmp_path / "model.ckpt"
    path.write_bytes(files.table(((key, bytes(value)) for key, value in Table(plain)), kind=1, per_block=50))
    assert path.stat().st_size < plain.stat().st_size
    assert files.contents(path) == files.contents(plain)


def test_snappy_index_changes_nothing(tmp_path):
    plain = FORMATS / "many/model.ckpt"
    shutil.copy(f"{plain}.data-00000-of-00001", tmp_path)
    pairs = ((key, bytes(value)) for key, value in Table(Path(f"{plain}.index")))
    (tmp_path / "model.ckpt.index").write_bytes(files.table(pairs, kind=1, per_block=500))
    assert files.contents(tmp_path / "model.ckpt") == files.contents(plain)


TENSORFLOW = """
import sys, numpy as np, tensorflow as tf
from attn_core.porting.tf1 import read_checkpoint
from tf1_files import fingerprint

def restored(reader, path, name, shape):
    if "_v1" not in path:
        return np.asarray(reader.get_tensor(name))
    # the Python reader refuses pieces and some types of V1 files, the operation does not
    kind = name.split("/")[0] if "dtypes" in path else "float32"
    part = " ".join(map(str, shape)) + " " + ":".join("-" * len(shape)) if shape else ""
    return tf.raw_ops.RestoreSlice(
        file_pattern=path, tensor_name=name, shape_and_slice=part, dt=getattr(tf, kind)).numpy()

compared = 0
for path in sys.argv[1:]:
    ours, theirs = read_checkpoint(path), tf.train.load_checkpoint(path)
    shapes = theirs.get_variable_to_shape_map()
    assert sorted(shapes) == list(ours), path
    for name in ours:
        if name == "words":
            continue  # TensorFlow saves the pieces of a partitioned string variable, but cannot join them
        assert tuple(shapes[name]) == ours.shape(name), name
        array = np.asarray(restored(theirs, path, name, shapes[name]))
        array = array.view(array.dtype[0]) if array.dtype.names else array
        array = array.astype("float32") if array.dtype.name == "bfloat16" else array
        array = array.astype(object) if array.dtype.kind in "SO" else array
        assert fingerprint(array) == fingerprint(ours[name]), (path, name, array, ours[name])
        compared += 1
print("compared", compared)
"""


def test_tensorflow_2_reads_the_same(tmp_path):
    """TensorFlow 2, in a process of its own (and so beside our protocol buffers), agrees bit by bit."""
    paths = [str(FORMATS / path) for path in EXPECTED if "many" not in path] + [str(FORMATS / "objects/model.ckpt")]
    for folder in ("dtypes_v1", "pieces_v1"):
        (tmp_path / folder).mkdir()
        pairs = ((key, bytes(value)) for key, value in Table(FORMATS / folder / "model.ckpt"))
        (tmp_path / folder / "model.ckpt").write_bytes(files.table(pairs, kind=1, per_block=20))
        paths.append(str(tmp_path / folder / "model.ckpt"))
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", TENSORFLOW, *paths]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=GOLDEN.parent, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[-1]) == 105 + 7 + 7 + 3 + 2 * (80 + 6)


def test_no_framework_is_loaded():
    code = (
        "import sys; from attn_core.porting.tf1 import read_checkpoint; "
        f"len(dict(read_checkpoint({str(SE_BLOCK)!r}))); "
        "print([m for m in ('tensorflow', 'torch', 'jax', 'keras') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("package", ["google.protobuf", "tensorboard", "google_crc32c", "cramjam"])
def test_missing_package_is_named(package):
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "try: import attn_core.porting.tf1\n"
        "except ImportError as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith(f"ImportError attn_core.tf1 needs {package}")
    assert done.stdout.endswith(": pip install 'attn-blocks[tf1]'\n")


# --- the mapping


def test_it_is_a_read_only_mapping():
    checkpoint = read_checkpoint(SE_BLOCK)
    assert len(checkpoint) == 4
    assert "dense/kernel" in checkpoint
    assert "dense" not in checkpoint
    assert 3 not in checkpoint
    assert checkpoint.get("dense") is None
    assert not hasattr(checkpoint, "__setitem__")
    assert checkpoint == checkpoint
    assert checkpoint != read_checkpoint(SE_BLOCK)
    assert len({checkpoint, checkpoint}) == 1
    first = checkpoint["dense/kernel"]
    first[:] = 0
    assert checkpoint["dense/kernel"].any()


def test_unknown_name_gives_close_ones():
    checkpoint = read_checkpoint(SE_BLOCK)
    for ask in (checkpoint.__getitem__, checkpoint.shape, checkpoint.dtype):
        with pytest.raises(KeyError, match=r"no variable 'dens/kernel' in .*model.ckpt; did you mean dense/kernel or"):
            ask("dens/kernel")
    with pytest.raises(KeyError, match=r"no variable '' in .*; list\(checkpoint\) gives its 4 names"):
        checkpoint[""]


def test_repr_says_what_it_holds():
    assert repr(read_checkpoint(SE_BLOCK)) == (
        f"<Checkpoint {str(SE_BLOCK / 'model.ckpt')!r} (V2): 4 variables: dense/bias, dense/kernel, dense_1/bias, ...>"
    )


def test_shapes_need_no_data(tmp_path):
    shutil.copy(SE_BLOCK / "model.ckpt.index", tmp_path)
    checkpoint = read_checkpoint(tmp_path / "model.ckpt")
    assert {name: checkpoint.shape(name) for name in checkpoint} == dict(
        zip(SE_NAMES, [(4,), (64, 4), (64,), (4, 64)], strict=True)
    )
    assert {checkpoint.dtype(name) for name in checkpoint} == {np.dtype("float32")}
    with pytest.raises(FileNotFoundError, match=r"model\.ckpt\.data-00000-of-00001 does not exist; a checkpoint is"):
        checkpoint["dense/bias"]


# --- paths


@pytest.mark.parametrize(
    ("path", "kind", "prefix"),
    [
        ("se_block", "V2", "se_block/model.ckpt"),
        ("se_block/checkpoint", "V2", "se_block/model.ckpt"),
        ("se_block/model.ckpt", "V2", "se_block/model.ckpt"),
        ("se_block/model.ckpt.index", "V2", "se_block/model.ckpt"),
        ("se_block/model.ckpt.meta", "V2", "se_block/model.ckpt"),
        ("se_block/model.ckpt.data-00000-of-00001", "V2", "se_block/model.ckpt"),
        ("res_block2_net/model.ckpt-200", "V2", "res_block2_net/model.ckpt-200"),
        ("se_block_v1_format/model.ckpt", "V1", "se_block_v1_format/model.ckpt"),
        ("se_block_v1_format/model.ckpt.meta", "V1", "se_block_v1_format/model.ckpt"),
        ("se_block_saved_model", "V2", "se_block_saved_model/variables/variables"),
        ("se_block_saved_model/variables", "V2", "se_block_saved_model/variables/variables"),
        ("se_block_saved_model/variables/variables", "V2", "se_block_saved_model/variables/variables"),
    ],
)
def test_locate(path, kind, prefix):
    root = GOLDEN / "tf1"
    for asked in (root / path, str(root / path)):
        found = locate(asked)
        assert (found.format, found.prefix) == (kind, root / prefix)
        saved = prefix.endswith("variables")
        assert found.meta == (None if saved else Path(f"{root / prefix}.meta"))
        assert found.saved_model == (root / "se_block_saved_model/saved_model.pb" if saved else None)
        assert len(read_checkpoint(asked)) >= 4


def moved(folder: Path, line: str) -> Path:
    """Return a folder with a checkpoint and a text file ``checkpoint`` with this line."""
    folder.mkdir()
    for file in SE_BLOCK.glob("model.ckpt.*"):
        shutil.copy(file, folder)
    (folder / "checkpoint").write_text(line)
    return folder


@pytest.mark.parametrize(
    "line",
    [
        'model_checkpoint_path: "model.ckpt"',
        "model_checkpoint_path: 'model.ckpt'",
        'model_checkpoint_path: "/long/gone/model.ckpt"\nall_model_checkpoint_paths: "/long/gone/model.ckpt-0"\n',
        'all_model_checkpoint_paths: "x"\nmodel_checkpoint_path: "./model.ckpt"',
        'model_checkpoint_path: "model\\056ckpt"',
        'model_checkpoint_path: "gone/model.ckpt"\nall_model_checkpoint_timestamps: 1.5\nlast_preserved_timestamp: 1e9',
    ],
)
def test_text_file_is_followed(tmp_path, line):
    folder = moved(tmp_path / "run", line)
    assert list(read_checkpoint(folder)) == SE_NAMES
    assert locate(folder).prefix.name == "model.ckpt"


def test_text_file_with_an_absolute_path(tmp_path):
    elsewhere = moved(tmp_path / "élan vital", "")
    folder = tmp_path / "run"
    folder.mkdir()
    escaped = "".join(f"\\{byte:03o}" if byte > 126 else chr(byte) for byte in os.fsencode(elsewhere / "model.ckpt"))
    assert "\\303\\251" in escaped
    for text in (escaped, str(elsewhere / "model.ckpt")):
        (folder / "checkpoint").write_text(f'model_checkpoint_path: "{text}"\n')
        assert locate(folder).prefix == elsewhere / "model.ckpt"


BAD_TEXTS = [
    "",
    "\x00",
    "PNG",
    "a {" * 5000,
    "model_checkpoint_path: 3",
    'model_checkpoint_path: "a',
    'model_checkpoint_path: ""',
    'model_checkpoint_path: "a\\000b"',
    'model_checkpoint_path: "a" model_checkpoint_path: "b"',
]


@pytest.mark.parametrize("text", BAD_TEXTS)
def test_bad_text_file_is_one_sentence(tmp_path, text):
    folder = moved(tmp_path / "run", text)
    with pytest.raises(CheckpointError, match=r"run/checkpoint has no line model_checkpoint_path: \"\.\.\.\"; give"):
        read_checkpoint(folder)
    (folder / "checkpoint").write_bytes(text.encode() + b"\xff\xfe")
    with pytest.raises(CheckpointError, match="has no line model_checkpoint_path"):
        read_checkpoint(folder)


def test_text_file_that_names_nothing(tmp_path):
    folder = moved(tmp_path / "run", 'model_checkpoint_path: "/long/gone/other.ckpt"')
    with pytest.raises(FileNotFoundError, match=r"names the checkpoint /long/gone/other.ckpt, which is neither there"):
        read_checkpoint(folder)
    moved(tmp_path / "long", f'model_checkpoint_path: "{"x" * 5000}"')
    with pytest.raises(CheckpointError, match=r"long cannot be read: File name too long"):
        read_checkpoint(tmp_path / "long")


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model.ckpt-9 is no checkpoint: give a prefix such as"):
        read_checkpoint(tmp_path / "model.ckpt-9")
    with pytest.raises(FileNotFoundError, match="is no checkpoint: give a prefix such as"):
        read_checkpoint(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"did you mean .*se_block/model\.ckpt\?"):
        read_checkpoint(SE_BLOCK / "model.ckpt-3")
    with pytest.raises(FileNotFoundError, match="is no checkpoint"):
        read_checkpoint(tmp_path / "a\x00b")
    with pytest.raises(CheckpointError, match="cannot be read: File name too long"):
        read_checkpoint("x" * 5000)


# --- memory and time


MIB = 1 << 20


def peak(action) -> int:
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def big(tmp_path_factory) -> Path:
    """Write eight tensors of 8 MiB each, and a small one."""
    arrays = {f"big_{i}".encode(): np.full((2, MIB), i, np.float32) for i in range(8)} | {b"small": np.ones(3, "f4")}
    offsets = np.cumsum([0, *(array.nbytes for array in arrays.values())])
    pairs = zip(arrays.items(), offsets, strict=False)
    entries = {name: files.entry(array, int(offset)) for (name, array), offset in pairs}
    data = b"".join(array.tobytes() for array in arrays.values())
    return files.write_bundle(tmp_path_factory.mktemp("big") / "model.ckpt", entries, data)


def test_one_tensor_needs_its_own_memory(big):
    checkpoint = read_checkpoint(big)
    assert peak(lambda: read_checkpoint(big)) < MIB
    assert peak(lambda: checkpoint["small"]) < MIB
    assert 8 * MIB <= peak(lambda: checkpoint["big_5"]) < 11 * MIB
    assert 8 * MIB <= peak(lambda: [array.sum() for array in checkpoint.values()]) < 20 * MIB
    assert checkpoint["big_5"].min() == 5


def test_one_tensor_of_a_v1_file_needs_a_few_times_its_memory(tmp_path):
    messages = {}
    for i in range(4):
        name = f"big_{i}"
        key = b"\x00" + name.encode() + b"\x00\x01\x01\x01\x80\x7f"
        new = files.float_slices(name, 2 * MIB, np.full(2 * MIB, i, np.float32).tobytes(), key)
        if messages:
            messages[b""].meta.tensor.extend(new.pop(b"").meta.tensor)
        messages |= new
    path = files.write_slices(tmp_path / "model.ckpt", messages)
    checkpoint = read_checkpoint(path)
    assert peak(lambda: read_checkpoint(path)) < MIB
    assert 8 * MIB <= peak(lambda: checkpoint["big_3"]) < 4 * 8.5 * MIB
    assert checkpoint["big_3"].min() == 3


def test_thousands_of_names_open_at_once():
    checkpoint = read_checkpoint(FORMATS / "many/model.ckpt")
    assert peak(lambda: read_checkpoint(FORMATS / "many/model.ckpt")) < 20 * MIB
    assert len(checkpoint) == 3600
