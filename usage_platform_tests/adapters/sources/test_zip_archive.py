"""Zip archives: which members are read, and what is refused in one line."""

import io
import zlib
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.readings.source import SourceError
from usage_platform_tests.fixtures.meter_file_kinds import zipped

FIRST = b"ts,kw\n2024-03-05 00:00:00,1\n"
SECOND = b"ts,kw\n2024-03-05 00:05:00,2\n"


@pytest.fixture
def load(tmp_path):
    def load(content, name="f.zip"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else zipped(content))
        return CsvSource((path,)).load(lambda _done, _total: None)

    return load


def test_members_that_are_no_meter_files_are_named_and_those_of_systems_are_not(load):
    found = load(
        {
            "a/first.csv": FIRST,
            "a/second.TXT": SECOND,
            "a/report.pdf": b"%PDF",
            "a/notes": b"-",
            "__MACOSX/a/._first.csv": b"\0",
            "a/.DS_Store": b"\0",
        }
    )
    assert list(found.frame["value"]) == [1, 2]
    assert found.notes[1:] == (
        "f.zip: not read, as no files of readings: 'a/notes', 'a/report.pdf'",
    )


def test_members_are_read_in_natural_order_and_the_last_one_wins(load):
    rows = [b"2024-03-05 00:%02d:00,1\n" % minute for minute in range(0, 60, 5)]
    corrected = [b"2024-03-05 00:00:00,7\n", *rows[1:]]
    found = load(
        {f"part{n}.csv": b"".join([b"ts,kw\n", *of]) for n, of in ((10, corrected), (9, rows))}
    )
    assert found.frame["value"][0] == 7


def test_a_bad_row_names_its_member_and_its_line(load):
    rows = b"".join(b"2024-03-05 00:%02d:00,3\n" % minute for minute in range(5, 60, 5))
    found = load({"in/a.csv": FIRST + rows + b"2024-03-05 02:00:00,abc\n"})
    assert [(bad.file, bad.row) for bad in found.bad_rows] == [("f.zip/in/a.csv", 14)]


def test_an_archive_is_recognised_by_its_content(load):
    assert len(load({"a.csv": FIRST}, name="export.csv").frame) == 1


def test_a_member_without_a_row_is_left_out(load):
    found = load({"a.csv": FIRST, "b.csv": b"ts,kw\n"})
    assert (len(found.frame), found.notes[1:]) == (1, ("f.zip/b.csv: holds no row; left out",))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, r"f\.zip: holds no file; expected files that end in \.csv, "),
        ({"a.pdf": b"x"}, r"f\.zip: holds no file of readings \('a\.pdf'\); expected files"),
        ({"a.csv": FIRST, "b.zip": b"x"}, r"f\.zip: member 'b\.zip' is packed itself; unpack"),
        ({"a.csv": FIRST, "b.csv.gz": b"x"}, r"member 'b\.csv\.gz' is packed itself"),
        ({"a\nb.csv": FIRST}, r"member 'a\\nb\.csv' has a name that cannot be printed"),
        ({"a.csv": FIRST, "b.txt": b"Read\nme"}, r"f\.zip/b\.txt: "),
    ],
)
def test_an_archive_that_does_not_hold_meter_files_only_is_refused(load, members, message):
    with pytest.raises(SourceError, match=message) as refused:
        load(members)
    assert "\n" not in str(refused.value)


def test_a_member_with_a_password_is_refused(load):
    content = bytearray(zipped({"a.csv": FIRST}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(SourceError, match=r"member 'a\.csv' needs a password"):
        load(bytes(content))


def test_a_member_packed_by_an_unknown_method_is_refused(load):
    content = bytearray(zipped({"a.csv": FIRST}))
    content[content.index(b"PK\x01\x02") + 10] = 9
    with pytest.raises(SourceError, match=r"member 'a\.csv' is packed by a method"):
        load(bytes(content))


def test_a_damaged_archive_is_refused(load):
    content = zipped({"a.csv": FIRST})
    for damaged in (content[:-30], content.replace(b"03-05", b"03-06", 1)):
        with pytest.raises(SourceError, match=r"f\.zip.*: damaged zip"):
            load(damaged)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(load, monkeypatch):
    monkeypatch.setattr("usage_platform.adapters.sources.unpacked_size._ALWAYS_FINE", 1 << 20)
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", FIRST + bytes(2 << 20))
    with pytest.raises(SourceError, match=r"f\.zip: unpacks to more than 250 times its size"):
        load(packed.getvalue())


def test_a_gzip_bomb_is_refused_while_it_is_unpacked(load, monkeypatch):
    monkeypatch.setattr("usage_platform.adapters.sources.unpacked_size._ALWAYS_FINE", 1 << 20)
    packer = zlib.compressobj(9, wbits=31)
    packed = packer.compress(FIRST + b"1" * (4 << 20)) + packer.flush()
    with pytest.raises(SourceError, match=r"f\.csv\.gz: unpacks to more than 250 times its size"):
        load(packed, name="f.csv.gz")


def test_too_many_members_are_refused(load, monkeypatch):
    monkeypatch.setattr("usage_platform.adapters.sources.zip_archive._MOST_MEMBERS", 1)
    with pytest.raises(SourceError, match=r"f\.zip: holds 2 files; expected at most 1"):
        load({"a.csv": FIRST, "b.csv": SECOND})


def test_what_claims_to_be_larger_than_any_source_is_refused(load, monkeypatch):
    monkeypatch.setattr("usage_platform.adapters.sources.unpacked_size.MOST_UNPACKED", 10)
    with pytest.raises(SourceError, match=r"f\.zip: unpacks to more than 0 GiB"):
        load({"a.csv": FIRST})


def test_a_folder_in_an_archive_is_no_member(load):
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr(ZipInfo("in/"), b"")
        archive.writestr(ZipInfo("in/a.csv"), FIRST)
    assert len(load(packed.getvalue()).frame) == 1
