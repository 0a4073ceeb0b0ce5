"""Damaged, foreign and hostile files: one clear sentence or exactly the right numbers, never anything else."""

import io
import pickle
import random
import re
import shutil
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tf1_files as files
from hypothesis import given, settings
from hypothesis import strategies as st
from tf1_files import FORMATS, GOLDEN
from tiers import sample

from attn_core.porting.tf1 import CheckpointError, read_checkpoint
from attn_core.weights.files.tf1.protos import TensorSlices
from attn_core.weights.files.tf1.table import Table

SE_V2 = GOLDEN / "tf1/se_block/model.ckpt"
SE_V1 = GOLDEN / "tf1/se_block_v1_format/model.ckpt"


def copy(source: Path, folder: Path) -> Path:
    """Copy the files of a checkpoint; return its prefix there."""
    for file in source.parent.glob(f"{source.name}*"):
        if file.suffix != ".meta":
            shutil.copy(file, folder)
    return folder / source.name


def every_bit(size: int) -> Iterator[tuple[int, int]]:
    return ((position, bit) for position in range(size) for bit in range(8))


def every_byte(size: int) -> Iterator[tuple[int, int]]:
    bits = random.Random(size)
    return ((position, bits.randrange(8)) for position in range(size))


def some(size: int) -> Iterator[tuple[int, int]]:
    """Return 100 random places and all of the footer, which no checksum covers."""
    places = random.Random(size)
    yield from ((places.randrange(size), places.randrange(8)) for _ in range(100))
    yield from ((size - 48 + position, bit) for position, bit in every_byte(48))


FLIPS = {
    "V2 index": (SE_V2, ".index", every_bit),
    "V2 data": (SE_V2, ".data-00000-of-00001", every_byte),
    "V2 shards index": (FORMATS / "sharded/model.ckpt-7", ".index", every_bit),
    "V2 shards first": (FORMATS / "sharded/model.ckpt-7", ".data-00000-of-00003", every_bit),
    "V2 shards last": (FORMATS / "sharded/model.ckpt-7", ".data-00002-of-00003", every_bit),
    "V2 dtypes index": (FORMATS / "dtypes/model.ckpt", ".index", every_byte),
    "V2 dtypes data": (FORMATS / "dtypes/model.ckpt", ".data-00000-of-00001", some),
    "V2 pieces index": (FORMATS / "pieces/model.ckpt", ".index", every_bit),
    "V2 pieces data": (FORMATS / "pieces/model.ckpt", ".data-00000-of-00001", some),
    "V2 objects": (FORMATS / "objects/model.ckpt", ".index", every_bit),
    "V2 objects data": (FORMATS / "objects/model.ckpt", ".data-00001-of-00002", every_bit),
    "V2 many index": (FORMATS / "many/model.ckpt", ".index", some),
    "V1": (SE_V1, "", every_byte),
    "V1 dtypes": (FORMATS / "dtypes_v1/model.ckpt", "", every_byte),
    "V1 pieces": (FORMATS / "pieces_v1/model.ckpt", "", every_byte),
    "V1 many": (FORMATS / "many_v1/model.ckpt", "", some),
}


SLOW = ("V2 many index", "V1 many", "V1 dtypes")  # long files: each place is as slow as in a short one, and more


@pytest.mark.parametrize("case", sample(FLIPS, lambda case: case not in SLOW, "shorter files of both formats"))
def test_no_flipped_bit_is_silently_wrong(tmp_path, case, record_property):
    source, suffix, places = FLIPS[case]
    prefix = copy(source, tmp_path)
    path, truth = Path(f"{prefix}{suffix}"), files.contents(prefix)
    original = path.read_bytes()
    reported = harmless = 0
    for position, bit in places(len(original)):
        path.write_bytes(original[:position] + bytes([original[position] ^ 1 << bit]) + original[position + 1 :])
        result = files.outcome(prefix)
        assert isinstance(result, str) or result == truth, (position, bit)
        reported, harmless = reported + isinstance(result, str), harmless + (result == truth)
    record_property("reported, harmless", (reported, harmless))
    assert reported > 0.7 * (reported + harmless)
    if "data" in suffix:
        assert harmless == 0  # every byte belongs to a tensor


@pytest.mark.parametrize("kind", ["V2", "V1"])
def test_snappy_blocks_are_as_safe(tmp_path, kind):
    source = FORMATS / ("many/model.ckpt.index" if kind == "V2" else "dtypes_v1/model.ckpt")
    if kind == "V2":
        shutil.copy(FORMATS / "many/model.ckpt.data-00000-of-00001", tmp_path)
    path = tmp_path / source.name
    pairs = [(key, bytes(value)) for key, value in Table(source)]
    pairs = pairs[:80] if kind == "V2" else pairs
    original = files.table(pairs, kind=1, per_block=20)
    path.write_bytes(original)
    truth, seen = files.contents(path), 0
    for position, bit in list(every_byte(len(original)))[::2]:
        path.write_bytes(original[:position] + bytes([original[position] ^ 1 << bit]) + original[position + 1 :])
        result = files.outcome(path)
        assert isinstance(result, str) or result == truth, (position, bit)
        seen += isinstance(result, str)
    assert seen > 0.35 * len(original)


@pytest.mark.parametrize(
    ("source", "suffix", "step"),
    [
        (SE_V2, ".index", 1),
        (SE_V2, ".data-00000-of-00001", 7),
        (SE_V1, "", 7),
        (FORMATS / "sharded/model.ckpt-7", ".index", 1),
        (FORMATS / "sharded/model.ckpt-7", ".data-00001-of-00003", 1),
        (FORMATS / "dtypes_v1/model.ckpt", "", 41),
    ],
)
def test_every_truncation_is_reported(tmp_path, source, suffix, step):
    prefix = copy(source, tmp_path)
    path = Path(f"{prefix}{suffix}")
    original = path.read_bytes()
    for size in range(0, len(original), step):
        path.write_bytes(original[:size])
        assert isinstance(files.outcome(prefix), str), size


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as content:
        content.writestr("a.txt", "a" * 100)
    return file.getvalue()


FOREIGN = {
    "empty": b"",
    "png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 2,
    "text": b"dense/kernel 1.0 2.0 3.0\n" * 40,
    "zip": archive(),
    "pickle": pickle.dumps({"dense/kernel": [1.0, 2.0] * 20}),
    "zeros": bytes(4096),
    "magic": files.MAGIC,
    "footer": bytes(40) + files.MAGIC,
    "empty table": files.table([]),
    "other table": files.table([(b"a", b"1"), (b"b", b"2")]),
    "other table with the empty key": files.table([(b"", b"1"), (b"b", b"2")]),
    "elf": b"\x7fELF" + bytes(200),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_foreign_file(tmp_path, what):
    for name in ("model.ckpt", "model.ckpt.index"):
        (tmp_path / name).write_bytes(FOREIGN[what])
        assert isinstance(files.outcome(tmp_path / name), str)
        (tmp_path / name).unlink()
    prefix = copy(SE_V2, tmp_path)
    Path(f"{prefix}.data-00000-of-00001").write_bytes(FOREIGN[what])
    assert isinstance(files.outcome(prefix), str)


def test_the_two_formats_are_not_confused(tmp_path):
    shutil.copy(SE_V1, tmp_path / "model.ckpt.index")
    assert "is not the index of a checkpoint" in str(files.outcome(tmp_path / "model.ckpt"))
    shutil.copy(f"{SE_V2}.index", tmp_path / "model_v1.ckpt")
    assert "is not a V1 checkpoint" in str(files.outcome(tmp_path / "model_v1.ckpt"))


def test_folder_or_nothing_where_a_shard_should_be(tmp_path):
    prefix = copy(FORMATS / "sharded/model.ckpt-7", tmp_path)
    shard = Path(f"{prefix}.data-00001-of-00003")
    shard.unlink()
    assert "model.ckpt-7.data-00001-of-00003 does not exist" in str(files.outcome(prefix))
    assert fine(prefix), "variables in other shards can still be read"
    shard.mkdir()
    assert "model.ckpt-7.data-00001-of-00003 is a folder" in str(files.outcome(prefix))


def fine(prefix: Path) -> list[str]:
    """Return the names that can be read."""
    checkpoint, good = read_checkpoint(prefix), []
    for name in checkpoint:
        try:
            good += [name] if checkpoint[name].size else []
        except (CheckpointError, FileNotFoundError):
            continue
    return good


def test_shards_of_two_checkpoints_mixed_up(tmp_path):
    prefix = copy(FORMATS / "sharded/model.ckpt-7", tmp_path)
    first, last = Path(f"{prefix}.data-00000-of-00003"), Path(f"{prefix}.data-00002-of-00003")
    one, other = first.read_bytes(), last.read_bytes()
    first.write_bytes(other)
    last.write_bytes(one)
    assert isinstance(files.outcome(prefix), str)


# --- hostile contents under valid checksums

THREE = np.arange(3, dtype=np.float32)
TEN_TERA = 10 << 40
VAST = np.lib.stride_tricks.as_strided(THREE, (1,), (0,))


def one(**fields: object) -> dict[bytes, object]:
    """Return a single entry with some fields that lie."""
    return {b"x": files.entry(THREE, **fields)}


def shaped(*shape: int, **fields: object) -> dict[bytes, object]:
    message = files.entry(THREE, **fields)
    del message.shape.dim[:]
    for size in shape:
        message.shape.dim.add(size=size)
    return {b"x": message}


def unknown_rank() -> dict[bytes, object]:
    entries = one()
    entries[b"x"].shape.unknown_rank = True
    return entries


def parts(shape: int, *extents: tuple[int, int], **pieces: object) -> dict[bytes, object]:
    """Return a float vector in pieces; ``pieces`` gives the entries under their keys' last bytes, in hexadecimal."""
    entries = shaped(shape, size=0, crc32c=0)
    for start, length in extents:
        entries[b"x"].slices.add().extent.add(start=start, length=length)
    for code, message in pieces.items():
        entries[b"\x00x\x00\x01\x01\x01" + bytes.fromhex(code[1:])] = message
    return entries


TWO, ONE = files.entry(THREE[:2]), files.entry(THREE[2:], offset=8)
HOSTILE = {
    "dtype unknown": (one(dtype=99), "data type number 99"),
    "dtype without values": (one(dtype=20), "data type DT_RESOURCE"),
    "dtype too young": (one(dtype=24), "data type DT_FLOAT8_E5M2"),
    "dtype of another size": (one(dtype=2), r"takes 12 bytes, which does not fit DT_DOUBLE \(3,\)"),
    "rank unknown": (unknown_rank(), "no complete shape"),
    "size unknown": (shaped(-1), "no complete shape"),
    "too many axes": (shaped(*[1] * 33), "no complete shape"),
    "overflowing shape": (shaped(2**62, 2**62), "larger than any array"),
    "overflow hidden by a zero": (shaped(0, 2**62, 2**62), "larger than any array"),
    "terabytes": (shaped(TEN_TERA // 4, size=TEN_TERA), "cut short"),
    "size too small": (one(size=8), "does not fit"),
    "size negative": (one(size=-12), "does not fit"),
    "offset outside": (one(offset=1), "cut short"),
    "offset vast": (one(offset=2**63 - 1), "cut short"),
    "offset negative": (one(offset=-4), "cut short"),
    "no such shard": (one(shard_id=1), r"data file 1, but says there are 1"),
    "negative shard": (one(shard_id=-1), r"data file -1"),
    "checksum": (one(crc32c=1), "checksum of .* does not match"),
    "strings without lengths": (one(dtype=7), "do not fill|too few|no valid"),
    "strings by the tera": (shaped(TEN_TERA, dtype=7), "too few"),
    "piece missing": (parts(3, (0, 2), (2, 1), x8082=TWO), "lacks one of its pieces"),
    "gap": (parts(3, (0, 2), x8082=TWO), "do not add up"),
    "overlap": (parts(3, (0, 2), (1, 1), x8082=TWO, x8181=ONE), "overlap and leave gaps"),
    "piece twice": (parts(4, (0, 2), (0, 2), x8082=TWO), "larger than its files|overlap and leave"),
    "piece outside": (parts(3, (0, 2), (3, 1), x8082=TWO, x8381=ONE), "outside of its shape"),
    "piece before": (parts(3, (-1, 2), (1, 2), x8082=TWO), "outside of its shape"),
    "piece of negative length": (parts(3, (0, -2), x8082=TWO), "outside of its shape"),
    "piece of another type": (parts(3, (0, 2), (2, 1), x8082=TWO, x8281=files.entry(THREE[2:], dtype=3)), "lacks one"),
    "piece of another shape": (parts(3, (0, 2), (2, 1), x8082=ONE, x8281=ONE), "piece of the wrong shape"),
    "pieces by the tera": (
        parts(TEN_TERA, (0, TEN_TERA // 2), (TEN_TERA // 2, TEN_TERA // 2)),
        "lacks one of its pieces",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_v2(tmp_path, case):
    entries, message = HOSTILE[case]
    prefix = files.write_bundle(tmp_path / "model.ckpt", entries, THREE.tobytes())
    assert sorted(read_checkpoint(prefix)) == ["x"]
    tracemalloc.start()
    result = files.outcome(prefix)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert re.search(message, str(result))


def test_the_honest_twins_are_read(tmp_path):
    """The hostile files above are refused for what is wrong with them, not for how the tests write files."""
    entries = parts(3, (0, 2), (2, 1), x8082=TWO, x8281=ONE) | {b"y": files.entry(THREE)}
    checkpoint = read_checkpoint(files.write_bundle(tmp_path / "model.ckpt", entries, THREE.tobytes()))
    assert [(name, array.tolist()) for name, array in checkpoint.items()] == [("x", [0, 1, 2]), ("y", [0, 1, 2])]
    messages = files.float_slices("x", 3, THREE.tobytes(), X_KEY)
    assert read_checkpoint(files.write_slices(tmp_path / "old.ckpt", messages))["x"].tolist() == [0, 1, 2]


def version(**fields: object) -> object:
    message = files.header()
    for name, value in fields.items():
        if isinstance(value, list):
            getattr(message.version, name).extend(value)
        else:
            setattr(message.version, name, value)
    return message


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (files.header(endianness=1), "written on a big-endian machine"),
        (files.header(num_shards=0), "no header"),
        (files.header(num_shards=-3), "no header"),
        (version(min_consumer=2), "newer format"),
        (version(bad_consumers=[1]), "newer format"),
        (files.header(num_shards=2**31 - 1), "does not exist"),
    ],
)
def test_hostile_header(tmp_path, head, message):
    prefix = files.write_bundle(tmp_path / "model.ckpt", one(), THREE.tobytes(), head)
    assert re.search(message, str(files.outcome(prefix)))


def words(lie: int) -> tuple[bytes, int]:
    """Return the bytes of two strings, "ab" and "", and their checksum; ``lie`` spoils the one of the lengths."""
    lengths = struct.pack("<II", 2, 0)
    inner = struct.pack("<I", files.masked_crc(lengths) ^ lie)
    return b"\x02\x00" + inner + b"ab", files.masked_crc(lengths + inner + b"ab")


def test_lengths_of_strings_have_a_checksum_of_their_own(tmp_path):
    for lie in (0, 1):
        data, crc = words(lie)
        entries = shaped(2, dtype=7, size=len(data), crc32c=crc)
        result = files.outcome(files.write_bundle(tmp_path / "model.ckpt", entries, data))
        assert result == {"x": ("|O", (2,), [b"ab", b""])} if not lie else "checksum of its lengths" in str(result)


@pytest.mark.parametrize("key", [b"\xff\xfe", b"a\x80"])
def test_name_that_is_no_text(tmp_path, key):
    prefix = files.write_bundle(tmp_path / "model.ckpt", {key: files.entry(THREE)}, THREE.tobytes())
    assert "not valid UTF-8" in str(files.outcome(prefix))


@pytest.mark.parametrize("value", [b"\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x0b" * 300, b"\x12\x02\x12\xff"])
def test_entry_that_is_no_message(tmp_path, value):
    pairs = [(b"", files.header().SerializeToString()), (b"x", value)]
    (tmp_path / "model.ckpt.index").write_bytes(files.table(pairs))
    assert "is not a BundleEntry message" in str(files.outcome(tmp_path / "model.ckpt"))
    (tmp_path / "old.ckpt").write_bytes(files.table([(b"", value)]))
    assert re.search("is not a TensorSlices message|is not a V1", str(files.outcome(tmp_path / "old.ckpt")))


# --- the same for V1

X_KEY = b"\x00x\x00\x01\x01\x01\x80\x7f"


def v1(**change: object) -> dict[bytes, object]:
    """Return the messages of a small V1 file; ``change`` sets fields of the listed tensor."""
    messages = files.float_slices("x", 3, THREE.tobytes(), X_KEY)
    for name, value in change.items():
        setattr(messages[b""].meta.tensor[0], name, value)
    return messages


def v1_values(kind: int, field: str, numbers: list[object]) -> dict[bytes, object]:
    messages = v1(type=kind)
    del messages[X_KEY].data.data.float_val[:]
    getattr(messages[X_KEY].data.data, field).extend(numbers)
    return messages


def v1_sized(size: int) -> dict[bytes, object]:
    messages = v1()
    messages[b""].meta.tensor[0].shape.dim[0].size = size
    return messages


def v1_twice() -> dict[bytes, object]:
    messages = v1()
    messages[b""].meta.tensor.add().CopyFrom(messages[b""].meta.tensor[0])
    return messages


def v1_pieces(size: int, *extents: tuple[int, int]) -> dict[bytes, object]:
    messages = v1_sized(size)
    del messages[b""].meta.tensor[0].slice[:]
    for start, length in extents:
        messages[b""].meta.tensor[0].slice.add().extent.add(start=start, length=length)
    return messages


def v1_newer() -> dict[bytes, object]:
    messages = v1()
    messages[b""].meta.versions.min_consumer = 2
    return messages


def v1_renamed() -> dict[bytes, object]:
    messages = v1()
    messages[X_KEY].data.name = b"y"
    return messages


HOSTILE_V1 = {
    "no list": ({X_KEY: v1()[X_KEY]}, "is not a V1 checkpoint"),
    "empty list": ({b"": TensorSlices()}, "is not a V1 checkpoint"),
    "newer": (v1_newer(), "newer format"),
    "listed twice": (v1_twice(), "lists 'x' twice"),
    "name": (v1(name=b"\xff"), "not valid UTF-8"),
    "dtype": (v1(type=20), "data type DT_RESOURCE"),
    "other dtype": (v1(type=2), "piece of 3 values and has 0"),
    "half a number": (v1_values(1, "float_val", [b"12345"]), "ends inside a number"),
    "too few": (v1_values(1, "float_val", [bytes(8)]), "piece of 3 values and has 2"),
    "too many": (v1_values(1, "float_val", [bytes(12), bytes(4)]), "piece of 3 values and has 4"),
    "no int8": (v1_values(6, "int_val", [1, 2, 300]), "no DT_INT8"),
    "no uint8": (v1_values(4, "int_val", [1, 2, -1]), "no DT_UINT8"),
    "no half": (v1_values(19, "half_val", [1, 2, 1 << 16]), "no DT_HALF"),
    "too few strings": (v1_values(7, "string_val", [b"a"]), "piece of 3 values and has 1"),
    "terabytes": (v1_sized(TEN_TERA), "should have a piece of"),
    "negative": (v1_sized(-1), "no complete shape"),
    "piece missing": (v1_pieces(3, (0, 2), (2, 1)), "lacks its piece"),
    "gap": (v1_pieces(3, (0, 2)), "do not add up"),
    "outside": (v1_pieces(3, (2, 2), (0, 1)), "outside of its shape"),
    "no pieces": (v1_pieces(3), "do not add up"),
    "pieces by the tera": (v1_pieces(TEN_TERA, (0, TEN_TERA // 2), (TEN_TERA // 2, TEN_TERA // 2)), "larger than its"),
    "another's piece": (v1_renamed(), "its key leads to"),
}


@pytest.mark.parametrize("kind", [0, 1], ids=["plain", "snappy"])
@pytest.mark.parametrize("case", HOSTILE_V1)
def test_hostile_v1(tmp_path, case, kind):
    messages, message = HOSTILE_V1[case]
    path = files.write_slices(tmp_path / "model.ckpt", messages, kind)
    tracemalloc.start()
    result = files.outcome(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert re.search(message, str(result))


# --- random files

FAST = settings(max_examples=400, deadline=None)


@FAST
@given(st.binary(max_size=300), st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 200), min_size=4, max_size=4))
def test_random_bytes_before_a_valid_footer(tmp_path_factory, body, handles):
    footer = b"".join(files.number(number) for number in handles)[:40].ljust(40, b"\x00")
    for name in ("random.ckpt", "random.ckpt.index"):
        path = tmp_path_factory.getbasetemp() / name
        path.write_bytes(body + footer + files.MAGIC)
        assert isinstance(files.outcome(path), str)
        path.unlink()


SMALL = {"V2": FORMATS / "pieces/model.ckpt.index", "V1": SE_V1, "V2 types": FORMATS / "dtypes/model.ckpt.index"}


@pytest.mark.parametrize("kind", SMALL)
@FAST
@given(data=st.data())
def test_random_damage_under_valid_checksums(tmp_path_factory, kind, data):
    """No checksum helps here: whatever the blocks say, it ends in arrays or in a sentence, and in little memory."""
    folder = tmp_path_factory.mktemp("fuzz")
    path = folder / SMALL[kind].name
    copy(Path(str(SMALL[kind]).removesuffix(".index")), folder)
    pairs = [(key, bytes(value)) for key, value in Table(SMALL[kind])]
    content = bytearray(files.block(pairs))
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(content) - 1))
        content[position : position + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=8))
    path.write_bytes(files.assemble([(pairs[-1][0] + b"\xff", files.sealed(bytes(content)))]))
    tracemalloc.start()
    files.outcome(path)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()
    shutil.rmtree(folder)


def test_damage_to_a_table_that_lies_about_its_blocks(tmp_path):
    """A footer may point anywhere: at a data block, into a block, at itself."""
    prefix = copy(SE_V2, tmp_path)
    path, truth = Path(f"{prefix}.index"), files.contents(prefix)
    original = path.read_bytes()
    for offset in range(len(original)):
        for size in (0, 8, 14, 137, len(original) - 48 - offset - 5):
            handles = b"\x00\x00" + files.number(offset) + files.number(max(size, 0))
            path.write_bytes(original[:-48] + handles.ljust(40, b"\x00") + struct.pack("<Q", 0xDB4775248B80FB57))
            result = files.outcome(prefix)
            assert isinstance(result, str) or result == truth
