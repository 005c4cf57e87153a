"""Parses Green Button files (ESPI in Atom), entry by entry.

Belongs here: from XML to the meter readings of a file. Not here: the codes of the standard
(`core.meter_files.espi`), and which readings are read (`core.meter_files.green_button`).
"""

import re
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from usage_platform.adapters.sources.opened_file import OpenedFile
from usage_platform.core.meter_files.espi import QUALITIES, MeterReading, ReadingType
from usage_platform.core.meters import is_meter_name
from usage_platform.core.readings.source import BadRow, SourceError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ESPI = "{http://naesb.org/espi}"
_ATOM = "{http://www.w3.org/2005/Atom}"
_DEEPEST = 100
_LONGEST_TEXT = 100
_MOST_BYTES_A_TAG = 2**20
"""Between two tags. The parser holds a tag with all its attributes in memory."""
_END_OF_TIME = 2_145_916_800
"""2038-01-01, in seconds since 1970."""
_LONGEST = 366 * 86_400
_WHOLE = re.compile(r"[0-9]{1,12}")
_NUMBER = re.compile(r"-?[0-9]{1,16}(?:\.[0-9]+)?")
_NO_CODE = -9999
"""Stands for a text that is no code; no code and no multiplier of the standard, so refused."""
_CODE = re.compile(r"-?[0-9]{1,4}")


@dataclass
class _Values:
    """Values of one meter reading, as they are parsed."""

    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    starts: "array[int]" = field(default_factory=lambda: array("q"))
    durations: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    quality: list[str] = field(default_factory=list)
    bad_rows: list[BadRow] = field(default_factory=list)

    def add_all(self, more: "_Values") -> None:
        self.numbers += more.numbers
        self.starts += more.starts
        self.durations += more.durations
        self.values += more.values
        self.quality += more.quality
        self.bad_rows += more.bad_rows


@dataclass(frozen=True)
class _Entry:
    """An Atom entry: its title and the addresses of its links by their relation."""

    title: str
    links: dict[str, list[str]]

    @property
    def address(self) -> str:
        return next(iter(self.links["self"]), "")


def parsed_meter_readings(file: OpenedFile) -> list[MeterReading]:
    """All meter readings of a file, in its order.

    Raises:
        SourceError: It is no Green Button, is damaged, or has a document type or entities.
    """
    with file.binary() as binary:
        try:
            return _Feed(file.label).read(binary)
        except ParseError as error:
            raise SourceError(
                f"{file.label}: is no well-formed XML ({error}); expected Green Button XML, "
                "or CSV; fetch the file again"
            ) from None
        except DefusedXmlException:
            raise SourceError(
                f"{file.label}: has a document type or entities, which no Green Button needs; "
                "check where the file comes from"
            ) from None


class _BetweenTags:
    """A file whose reader says when a tag has come; without one for long it is refused."""

    def __init__(self, binary: IO[bytes], label: str) -> None:
        self._binary = binary
        self._label = label
        self.since_tag = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes.

        Raises:
            SourceError: No tag has come in the last MiB.
        """
        if self.since_tag > _MOST_BYTES_A_TAG:
            raise SourceError(
                f"{self._label}: has a tag or text of more than {_MOST_BYTES_A_TAG:,} bytes, which "
                "no Green Button has; check where the file comes from"
            )
        found = self._binary.read(size)
        self.since_tag += len(found)
        return found


class _Feed:
    """What is known of a file so far."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._points: list[_Entry] = []
        self._readings: list[_Entry] = []
        self._types: dict[str, ReadingType] = {}
        self._values: defaultdict[str, _Values] = defaultdict(_Values)
        self._of_entry = _Values()
        self._count = 0

    def read(self, binary: IO[bytes]) -> list[MeterReading]:
        """Parse it. Elements are discarded as they end: only values and links are kept."""
        path: list[Element] = []
        measured = _BetweenTags(binary, self._label)
        for event, element in iterparse(measured, ("start", "end"), forbid_dtd=True):
            measured.since_tag = 0
            if event == "start":
                path.append(element)
                if len(path) > _DEEPEST:
                    raise SourceError(f"{self._label}: is nested deeper than any Green Button")
                continue
            path.pop()
            if element.tag == f"{_ESPI}IntervalReading":
                self._add_value(element)
            elif element.tag == f"{_ATOM}entry":
                self._add_entry(element)
            else:
                continue
            if path:
                path[-1].remove(element)
        return self._meter_readings()

    def _add_value(self, element: "Element") -> None:
        self._count += 1
        start, duration = (
            (element.findtext(f"{_ESPI}timePeriod/{_ESPI}{name}") or "").strip()
            for name in ("start", "duration")
        )
        value = (element.findtext(f"{_ESPI}value") or "").strip()
        if not _WHOLE.fullmatch(start) or int(start) >= _END_OF_TIME:
            self._bad("start", start, "is no time; expected seconds since 1970, before 2038")
        elif duration and (not _WHOLE.fullmatch(duration) or int(duration) > _LONGEST):
            self._bad("duration", duration, "is no duration; expected seconds, at most a year")
        elif not _NUMBER.fullmatch(value):
            self._bad("value", value, "is not a number; expected the value of an interval")
        else:
            self._of_entry.numbers.append(self._count)
            self._of_entry.starts.append(int(start))
            self._of_entry.durations.append(int(duration or 0))
            self._of_entry.values.append(float(value))
            self._of_entry.quality.append(_quality(element))

    def _bad(self, name: str, text: str, reason: str) -> None:
        text = text[:_LONGEST_TEXT]
        self._of_entry.bad_rows.append(BadRow(self._label, self._count, name, text, reason))

    def _add_entry(self, element: "Element") -> None:
        links: dict[str, list[str]] = {"self": [], "up": [], "related": []}
        for link in element.iterfind(f"{_ATOM}link"):
            address = (link.get("href") or "").strip().rstrip("/")
            links.setdefault(link.get("rel") or "", []).append(address)
        entry = _Entry((element.findtext(f"{_ATOM}title") or "").strip(), links)
        content = element.find(f"{_ATOM}content")
        resources = [*content] if content is not None else []
        # One entry may hold several blocks.
        if any(resource.tag == f"{_ESPI}IntervalBlock" for resource in resources):
            self._values[next(iter(links["up"]), "")].add_all(self._of_entry)
        for resource in resources:
            match str(resource.tag).removeprefix(_ESPI):
                case "UsagePoint":
                    self._points.append(entry)
                case "MeterReading":
                    self._readings.append(entry)
                case "ReadingType":
                    self._types[entry.address] = _reading_type(resource)
                case _:
                    pass
        self._of_entry = _Values()

    def _meter_readings(self) -> list[MeterReading]:
        if not self._readings:
            raise SourceError(
                f"{self._label}: is XML without a meter reading of Green Button (ESPI in Atom); "
                "expected Green Button XML, or CSV; convert it"
            )
        self._check_addresses(self._readings)
        self._check_addresses(self._points)
        names = _names(self._points)
        values = {one.address: _Values() for one in self._readings}
        readings = _owners(self._readings, "IntervalBlock")
        for up, own in self._values.items():
            values[self._owner(up, readings, "IntervalBlock").address].add_all(own)
        points = _owners(self._points, "MeterReading")
        found: list[MeterReading] = []
        for one in self._readings:
            up = next(iter(one.links["up"]), "")
            point = names[self._owner(up, points, "MeterReading").address] if points else ""
            found.append(self._meter_reading(one, values[one.address], point))
        return found

    def _meter_reading(self, one: _Entry, own: _Values, point: str) -> MeterReading:
        types = [self._types[link] for link in one.links["related"] if link in self._types]
        if not types and len(self._types) == 1:
            types = list(self._types.values())
        return MeterReading(
            point,
            one.title or one.address.rpartition("/")[2],
            types[0] if types else ReadingType(),
            np.array(own.numbers, dtype=np.int64),
            np.array(own.starts, dtype=np.int64),
            np.array(own.durations, dtype=np.int64),
            np.array(own.values, dtype=np.float64),
            np.array(own.quality, dtype=object),
            tuple(own.bad_rows),
        )

    def _check_addresses(self, entries: list[_Entry]) -> None:
        """Refuse entries that cannot be told apart: their values would be mixed.

        Raises:
            SourceError: Two have the same address, or none.
        """
        counts = Counter(one.address for one in entries)
        for twice in (address for address, count in counts.items() if count > 1):
            raise SourceError(
                f"{self._label}: two entries of one kind have the address {twice!r}; expected a "
                "link 'self' of its own in each, as in ESPI"
            )

    def _owner(self, up: str, owners: dict[str, _Entry], kind: str) -> _Entry:
        """The entry that a collection of others belongs to.

        Raises:
            SourceError: No link says which.
        """
        if up and up in owners:
            return owners[up]
        entries = {one.address: one for one in owners.values()}
        if len(entries) == 1:
            return next(iter(entries.values()))
        raise SourceError(
            f"{self._label}: no link says to which of {len(entries)} entries {kind} {up!r} "
            "belongs; expected links 'up' and 'related' as in ESPI"
        )


def _owners(entries: list[_Entry], kind: str) -> dict[str, _Entry]:
    """The entries by the addresses of the collections that they have."""
    related = {link: one for one in entries for link in one.links["related"]}
    return related | {f"{one.address}/{kind}": one for one in entries}


def _names(points: list[_Entry]) -> dict[str, str]:
    """The names of usage points: their titles if these tell them apart, else of their addresses."""
    addresses = [one.address for one in points]
    titles = [one.title for one in points]
    ends = [address.rpartition("/")[2] for address in addresses]
    for names in (titles, ends):
        if len(set(names)) == len(names) and all(map(is_meter_name, names)):
            return dict(zip(addresses, names, strict=True))
    return dict(zip(addresses, addresses, strict=True))


def _quality(element: "Element") -> str:
    """What the file says of the quality of a value, in words; a code without a word as it is."""
    codes = element.iterfind(f"{_ESPI}ReadingQuality/{_ESPI}quality")
    texts = [(code.text or "").strip()[:_LONGEST_TEXT] for code in codes]
    words = (QUALITIES.get(int(text), text) if _CODE.fullmatch(text) else text for text in texts)
    return " ".join(dict.fromkeys(word for word in words if word))


def _reading_type(element: "Element") -> ReadingType:
    names = (
        "uom",
        "powerOfTenMultiplier",
        "flowDirection",
        "accumulationBehaviour",
        "dataQualifier",
    )
    texts = [(element.findtext(f"{_ESPI}{name}") or "0").strip() for name in names]
    return ReadingType(*(int(text) if _CODE.fullmatch(text) else _NO_CODE for text in texts))
