"""Readings from files of one source, in the formats that meters and portals write.

Belongs here: from the files of a source to its readings. Not here: one file (`meter_file`), what a
table means and what a readable row is (`core.meter_files`), and fetching files from elsewhere.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from usage_platform.adapters.sources.meter_file import read_meter_file
from usage_platform.core.meter_files.described_files import understand
from usage_platform.core.meter_files.options import CsvColumns, FileOptions
from usage_platform.core.meter_files.readings import Understood, refuse_uncertain
from usage_platform.core.meter_files.series import FileRows
from usage_platform.core.meter_files.summary import one_line
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import Progress, SourceError, SourceReadings


@dataclass(frozen=True)
class CsvSource:
    """Files of one or more meters, one source together.

    Attributes:
        paths: The files; see `meter_file` for their formats. In what order they are given matters
            only where two hold the same reading: the last one wins.
        meter: Gives the time zone, the interval, and the name where the files name no meter.
        columns: Which columns hold what.
        options: What else a person said about the files.
    """

    paths: tuple[Path, ...]
    meter: Meter = field(default_factory=Meter)
    columns: CsvColumns = field(default_factory=CsvColumns)
    options: FileOptions = field(default_factory=FileOptions)

    @property
    def name(self) -> str:
        """What it reads, for people."""
        return "csv " + ", ".join(path.name for path in self.paths)

    def load(self, progress: Progress) -> SourceReadings:
        """All readings of the files.

        Gaps, rows in any order, repeated rows, a byte order mark and empty lines are fine. An
        empty line is no row; every other line below the header is one (a field must not run over
        several lines), and ends up in the frame, among the repeated or among the bad rows.

        Args:
            progress: Called with the rows read so far; the total is not known beforehand.

        Raises:
            SourceError: No file was given; one is missing, cannot be read, is empty, lacks a
                needed column, or is no CSV; or something that would change the numbers is
                uncertain: the line names the option that settles it.
        """
        found = self.understand(progress)
        readings = refuse_uncertain(found)
        return replace(readings, notes=(one_line(found), *readings.notes))

    def understand(self, progress: Progress) -> Understood:
        """How the files are understood, and the readings they would give.

        Args:
            progress: As for `load`.

        Raises:
            SourceError: As for `load`, but for what is uncertain.
        """
        if not self.paths:
            raise SourceError("csv: no file to read; give at least one")
        files, notes = self._read(progress)
        done = sum(file.rows.row_count for file in files)
        if done == 0:
            raise SourceError(f"{self.name}: a header and no row; give a file that holds readings")
        progress(done, done)
        return understand(files, self.meter, self.options, notes=notes)

    def _read(self, progress: Progress) -> tuple[list[FileRows], list[str]]:
        """The tables of all files, and what was not read, in lines for people."""
        files: list[FileRows] = []
        notes: list[str] = []
        done = 0
        for path in self.paths:
            tell = partial(_tell, progress, done)
            found = read_meter_file(path, self.columns, self.options, tell)
            done += sum(table.rows.row_count for table in found.tables)
            files += found.tables
            notes += found.notes
        return files, notes


def _tell(progress: Progress, before: int, done: int, _total: int | None) -> None:
    progress(before + done, None)
