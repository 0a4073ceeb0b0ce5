"""Tables, variable-length integers and the keys of pieces: the parts every checkpoint is made of."""

import struct
from pathlib import Path

import google_crc32c
import pytest
import tf1_files as files
from golden.tf1_formats import values
from hypothesis import given, settings
from hypothesis import strategies as st

from attn_core.porting.tf1 import CheckpointError
from attn_core.weights.files.tf1.opened import File, crc32c, masked
from attn_core.weights.files.tf1.pieces import piece_key
from attn_core.weights.files.tf1.table import Table, entries, unsnap
from attn_core.weights.files.tf1.varint import varint

TABLES = sorted(path for path in files.FORMATS.glob("*/model.ckpt*") if path.suffix == ".index" or "v1" in str(path))


def test_recordings_are_there():
    assert len(TABLES) == 9


def test_crc32c_is_the_castagnoli_one():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"789", crc32c(b"123456")) == google_crc32c.value(b"123456789")


@given(st.binary())
def test_masked_crc_is_the_stored_one(data):
    assert masked(crc32c(data)) == files.masked_crc(data)


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_varint_round_trip(number, before, after):
    code = files.number(number)
    assert varint(before + code + after, len(before), "x") == (number, len(before) + len(code))


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\xff" * 9, b"\xff" * 10, b"\x80" * 10 + b"\x01", b"\xff" * 9 + b"\x02"]
)
def test_varint_refuses(data):
    with pytest.raises(CheckpointError, match="no valid number at byte 0"):
        varint(data, 0, "file")


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.parent.name)
def test_recorded_table_is_read_whole_and_by_key(path):
    table = Table(path)
    pairs = [(key, bytes(value)) for key, value in table]
    assert pairs[0][0] == b""
    assert [key for key, _ in pairs] == sorted({key for key, _ in pairs})
    step = max(1, len(pairs) // 200)
    for key, value in pairs[::step]:
        assert table.find(key) == value
        assert table.find(key + b"\x00") is None


def test_many_names_need_several_blocks():
    for folder, count in (("many/model.ckpt.index", 3600), ("many_v1/model.ckpt", 1300)):
        table = Table(files.FORMATS / folder)
        assert len(table._handles) >= 2
        assert len(list(table)) == 1 + count


@pytest.mark.parametrize("kind", [0, 1])
@settings(max_examples=60, deadline=None)
@given(
    pairs=st.dictionaries(st.binary(max_size=12), st.binary(max_size=80)),
    per_block=st.integers(1, 20),
    absent=st.binary(max_size=12),
)
def test_round_trip(tmp_path_factory, kind, pairs, per_block, absent):
    path = tmp_path_factory.getbasetemp() / "round_trip.index"
    path.write_bytes(files.table(sorted(pairs.items()), kind, per_block))
    table = Table(path)
    assert {key: bytes(value) for key, value in table} == pairs
    assert all(table.find(key) == value for key, value in pairs.items())
    assert table.find(absent) == pairs.get(absent)


def test_large_block_is_found_and_not_kept(tmp_path):
    pairs = [(b"a", bytes(10)), (b"b", bytes(range(256)) * (1 << 13)), (b"c", b"x")]
    path = tmp_path / "large.index"
    path.write_bytes(files.table(pairs, per_block=1))
    table = Table(path)
    assert [table.find(key) == value for key, value in pairs] == [True] * 3
    table.find(b"b")
    assert table._cached == (-1, {})


def spoilt_block() -> bytes:
    block = bytearray(files.sealed(files.block([(b"a", b"1")])))
    block[2] ^= 1
    return bytes(block)


def raw_entry(shared: int, key: bytes, value: bytes = b"") -> bytes:
    return files.number(shared) + files.number(len(key)) + files.number(len(value)) + key + value


RESTARTS = struct.pack("<II", 0, 1)
HOSTILE_BLOCKS = {
    "checksum": (spoilt_block(), "checksum does not match"),
    "unknown kind": (files.sealed(files.block([(b"a", b"1")]), kind=7), r"unknown way \(7\)"),
    "not snappy": (files.sealed(b"\x05\xff\xff")[:3] + files.sealed(b"\x05\xff\xff", kind=0)[3:], "does not match|fit"),
    "too short": (files.sealed(b"\x00"), "restarts does not fit"),
    "restarts": (files.sealed(struct.pack("<I", 2**32 - 1)), "restarts does not fit"),
    "shared too long": (files.sealed(raw_entry(3, b"a") + RESTARTS), "does not fit"),
    "key too long": (files.sealed(b"\x00\xff\xff\x03\x00a" + RESTARTS), "does not fit"),
    "value too long": (files.sealed(b"\x00\x01\xff\xff\xff\xff\x0fa" + RESTARTS), "does not fit"),
    "cut number": (files.sealed(b"\x00\x81" + RESTARTS), "no valid number"),
    "order": (files.sealed(raw_entry(0, b"b") + raw_entry(0, b"a") + RESTARTS), "not in order"),
    "same key": (files.sealed(raw_entry(0, b"a") + raw_entry(1, b"") + RESTARTS), "not in order"),
    "another block's key": (files.sealed(files.block([(b"zz", b"1")])), "key of another block"),
}


@pytest.mark.parametrize("case", HOSTILE_BLOCKS)
def test_hostile_block(tmp_path, case):
    block, message = HOSTILE_BLOCKS[case]
    path = tmp_path / "hostile.index"
    path.write_bytes(files.assemble([(b"m", block)]))
    with pytest.raises(CheckpointError, match=message) as caught:
        list(Table(path))
    assert "hostile.index" in str(caught.value)


def index_of(*handles: tuple[int, int]) -> bytes:
    pairs = [(bytes([97 + i]), files.number(offset) + files.number(size)) for i, (offset, size) in enumerate(handles)]
    return files.block(pairs, interval=1)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (index_of((0, 12), (0, 12)), "overlaps"),
        (index_of((20, 12), (0, 12)), "overlaps"),
        (index_of((2**63, 12)), "cut short"),
        (index_of((0, 2**63)), "cut short"),
        (index_of((2**64 - 1, 2**64 - 1)), "cut short"),
        (files.block([(b"a", b"")]), "no valid number"),
        (files.block([(b"a", b"\x00\x0c\x00")]), "overlaps"),
    ],
)
def test_hostile_index(tmp_path, index, message):
    path = tmp_path / "hostile.index"
    path.write_bytes(files.assemble([(b"a", files.sealed(files.block([(b"a", b"1")])))] * 2, index))
    with pytest.raises(CheckpointError, match=message):
        list(Table(path))


@pytest.mark.parametrize("footer", [b"", b"\xff" * 40, b"\x00\x00" + b"\xff" * 38, files.number(2**63) * 4])
def test_hostile_footer(tmp_path, footer):
    path = tmp_path / "hostile.index"
    path.write_bytes(bytes(100) + footer[:40].ljust(40, b"\x00") + files.MAGIC)
    with pytest.raises(CheckpointError, match=r"hostile\.index"):
        Table(path)


def test_prefix_bomb_is_refused():
    """Five bytes an entry, each meaning a key of 10,000: 25 kB of file must not become 50 MB of keys."""
    body = raw_entry(0, b"a" * 10_000)
    body += b"".join(raw_entry(10_000, bytes([98 + i])) for i in range(99))
    with pytest.raises(CheckpointError, match="does not fit"):
        list(entries(body + RESTARTS, "bomb"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not valid snappy"),
        (files.number(2**32 - 1) + bytes(20), "grow more than snappy can"),
        (files.number(1000) + b"\x00a", "grow more than snappy can"),
        (files.number(20) + b"\x00a", "not valid snappy"),
        (b"\xff" * 12, "not valid snappy"),
    ],
)
def test_bad_snappy_is_refused(content, message):
    with pytest.raises(CheckpointError, match=message):
        unsnap(content, "block")


@pytest.mark.parametrize("data", [bytes(1 << 20), b"ab" * 50_000, b"x", b"abcdefgh" * 9])
def test_best_snappy_is_not_refused(data):
    import cramjam

    assert unsnap(bytes(cramjam.snappy.compress_raw(data)), "block") == data


def test_file_gives_nothing_beyond_its_end(tmp_path):
    path = tmp_path / "ten"
    path.write_bytes(b"0123456789")
    file = File(path)
    assert file.read(8, 2, "tail") == b"89"
    for offset, size in ((9, 2), (-1, 1), (0, -1), (2**64, 1), (0, 2**64)):
        with pytest.raises(CheckpointError, match=r"ten is damaged or cut short: it should"):
            file.read(offset, size, "it")
        with pytest.raises(CheckpointError, match=r"ten is damaged or cut short: it should"):
            file.chunks(offset, size, "it")
    path.write_bytes(b"0123")
    with pytest.raises(CheckpointError, match="became shorter"):
        file.read(0, 10, "it")


def keys_of_pieces(path: Path) -> set[bytes]:
    return {key for key, _ in Table(path) if key[:1] == b"\x00"}


@pytest.mark.parametrize("folder", ["pieces", "pieces_v1"])
def test_keys_of_pieces_are_tensorflows(folder):
    parts = [(name, part) for name, (_, pieces) in values.PIECES.items() for part in pieces]
    if folder == "pieces":
        recorded = keys_of_pieces(files.FORMATS / folder / "model.ckpt.index")
        parts.remove(("whole", (None, None)))  # saved as if it were not partitioned
    else:
        recorded = keys_of_pieces(files.FORMATS / folder / "model.ckpt")
        parts = [(name, part) for name, part in parts if name != "bits"] + [("plain", (None, None))]
    assert recorded == {piece_key(name, tuple(axis or (0, -1) for axis in part)) for name, part in parts}
    assert len(recorded) == {"pieces": 15, "pieces_v1": 15}[folder]


def test_keys_of_large_numbers_are_tensorflows():
    recorded = keys_of_pieces(files.FORMATS / "far/model.ckpt.index")
    assert recorded == {piece_key("far", (part,)) for part in values.FAR[1]}
    assert len(recorded) == 10


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (0, "80"),
        (-1, "7f"),
        (63, "bf"),
        (-64, "40"),
        (64, "c040"),
        (-65, "3fbf"),
        (8191, "dfff"),
        (8192, "e02000"),
        (2**62, "ffc04000000000000000"),
        (2**63 - 1, "ffc07fffffffffffffff"),
    ],
)
def test_code_of_a_signed_number(number, code):
    assert piece_key("", ((number, 0),)).hex() == "00" + "0001" + "0101" + code + "80"


@given(st.lists(st.tuples(st.text(), st.integers(-(2**63), 2**63 - 1)), min_size=2, max_size=2))
def test_keys_sort_like_what_they_spell(pairs):
    keys = [piece_key(name, ((start, -1),)) for name, start in pairs]
    spelled = [(name.encode(), start) for name, start in pairs]
    assert (keys[0] < keys[1]) == (spelled[0] < spelled[1])
    assert (keys[0] == keys[1]) == (spelled[0] == spelled[1])


def test_key_of_a_name_with_a_zero_byte():
    assert piece_key("a\x00b", ()) == b"\x00" + b"a\x00\xffb" + b"\x00\x01" + b"\x00"
