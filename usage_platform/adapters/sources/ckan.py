"""Readings from a dataset of an open-data portal that runs CKAN, kept on disk as they come.

Belongs here: which resources and pages are asked for, and the cache. Not here: HTTP and retries
(`ckan_portal`), splitting CSV (`csv_file`), and what a readable row is (`core.meter_files`).

The cache is `<cache_dir>/<dataset>/<resource>/<version>/`: a file for each page of the portal's
table, named by the offset of its first row, or the one CSV file of a resource without a table. A
file appears only when it is whole. The version follows the resource's dates of change, so an
unchanged resource is read from disk, and an older version goes once the new one is whole.
"""

import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from usage_platform.adapters.sources.ckan_portal import CkanPortal, Page, Resource
from usage_platform.adapters.sources.csv_table import read_csv
from usage_platform.adapters.sources.opened_file import HEAD_LINES, OpenedFile
from usage_platform.core.meter_files.described_files import understand
from usage_platform.core.meter_files.dialect import Dialect
from usage_platform.core.meter_files.layout import layout_of
from usage_platform.core.meter_files.options import (
    BOSTON_TIME,
    BOSTON_VALUE,
    CsvColumns,
    FileOptions,
)
from usage_platform.core.meter_files.readings import refuse_uncertain
from usage_platform.core.meter_files.rows import read_block
from usage_platform.core.meter_files.series import FileRows
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import (
    BadRow,
    MissingColumnError,
    NoRowsError,
    Progress,
    SourceError,
    SourceReadings,
)

DEFAULT_PORTAL = "https://data.boston.gov"
DEFAULT_DATASET = "central-library-electricity-usage"
DEFAULT_PAGE_ROWS = 10_000
_BOSTON = CsvColumns(BOSTON_TIME, "", BOSTON_VALUE)


@dataclass(frozen=True)
class CkanSource:
    """All readings of one dataset, which are those of one meter.

    Attributes:
        cache_dir: Where pages are kept between loads, such as the lake's assets/.
        base_url: The portal's address.
        dataset: The dataset's name, the last part of its address on the portal.
        meter: Whose readings they are; gives the time zone and the interval.
        columns: Which columns hold what.
        options: What else a person said about the rows.
        page_rows: Rows asked for at once; a portal may give fewer.
        pause: Waits that many seconds before another try.
    """

    cache_dir: Path
    base_url: str = DEFAULT_PORTAL
    dataset: str = DEFAULT_DATASET
    meter: Meter = field(default_factory=Meter)
    columns: CsvColumns = _BOSTON
    options: FileOptions = field(default_factory=FileOptions)
    page_rows: int = DEFAULT_PAGE_ROWS
    pause: Callable[[float], None] = time.sleep

    @property
    def name(self) -> str:
        """What it reads, for people."""
        return f"ckan {urlsplit(self.base_url).netloc}/{self.dataset}"

    def load(self, progress: Progress) -> SourceReadings:
        """All readings of the dataset's tables, and of CSV files that have no table.

        What has come is kept, so a load that was broken off goes on where it stopped, and of an
        unchanged dataset nothing but its description is asked for. Resources of another kind are
        left alone. One without the needed columns counts as one bad row, its header, unless
        none has them.

        Args:
            progress: Called with the rows read so far, and the total once it is known.

        Raises:
            SourceError: The portal cannot be reached, does not answer as CKAN does or does not
                know the dataset; or no resource holds readings.
        """
        portal = CkanPortal(self.base_url, self.pause)
        resources = portal.resources(self.dataset)
        if not resources:
            raise SourceError(f"{self.name}: no resource with a table or CSV; check the dataset")
        tables: list[FileRows] = []
        unfit_rows: list[BadRow] = []
        unfit: list[MissingColumnError] = []
        done = 0
        for resource in resources:
            tell = partial(_tell, progress, done, resource is resources[-1])
            try:
                rows = self._read(portal, resource, tell)
            except MissingColumnError as error:
                unfit.append(error)
                unfit_rows.append(_as_bad_row(resource, error))
                continue
            except NoRowsError:
                continue
            except OSError as error:
                raise SourceError(
                    f"{self.cache_dir}: what was fetched cannot be kept there "
                    f"({error.strerror or error}); make room or set another folder"
                ) from None
            done += rows.rows.row_count
            tables.append(rows)
        if len(unfit) == len(resources):
            raise unfit[0]
        if not done:
            raise SourceError(f"{self.name}: its resources have no rows; check the dataset")
        progress(done, done)
        return refuse_uncertain(understand(tables, self.meter, self.options, unfit_rows))

    def _read(self, portal: CkanPortal, resource: Resource, progress: Progress) -> FileRows:
        """The rows of one resource, through the cache."""
        versions = self.cache_dir / _file_name(self.dataset) / _file_name(resource.id)
        folder = versions / _file_name(resource.version)
        folder.mkdir(parents=True, exist_ok=True)
        if resource.has_table:
            pages = self._pages(portal, resource, folder)
            rows = _table_rows(pages, resource, self.columns, self.options, progress)
        else:
            rows = self._csv_rows(portal, resource, folder, progress)
        for other in versions.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        return rows

    def _pages(self, portal: CkanPortal, resource: Resource, folder: Path) -> Iterator[Page]:
        """The pages of a resource's table: those kept, then those still to come."""
        offset = 0
        total = None
        while total is None or offset < total:
            kept = folder / f"rows-{offset:09d}.json"
            page = _kept_page(kept)
            if page is None:
                page = portal.page(resource, offset, self.page_rows)
                _write_whole(kept, json.dumps(asdict(page), separators=(",", ":")).encode())
            if total is not None and page.total != total:
                shutil.rmtree(folder)
                raise SourceError(
                    f"{resource.label}: changed from {total} to {page.total} rows while it was "
                    "read; load it again"
                )
            total = page.total
            offset += len(page.rows)
            yield page

    def _csv_rows(
        self, portal: CkanPortal, resource: Resource, folder: Path, progress: Progress
    ) -> FileRows:
        is_gzip = urlsplit(resource.url).path.endswith(".gz")
        kept = folder / ("resource.csv.gz" if is_gzip else "resource.csv")
        if not kept.exists():
            with tempfile.TemporaryDirectory(dir=folder) as unfinished:
                part = Path(unfinished) / kept.name
                portal.download(resource.url, part)
                part.replace(kept)
        try:
            file = OpenedFile(kept, resource.label)
            return read_csv(file, self.columns, progress, self.options)
        except SourceError:
            # What cannot be read may have been a page that told of a fault; do not stick to it.
            kept.unlink()
            raise


def _table_rows(
    pages: Iterator[Page],
    resource: Resource,
    columns: CsvColumns,
    options: FileOptions,
    progress: Progress,
) -> FileRows:
    """The pages' rows, numbered by the portal's `_id`.

    Raises:
        MissingColumnError: A page lacks a column.
        NoRowsError: There is no row.
    """
    numbers: list[int] = []
    rows: list[list[str]] = []
    names: tuple[str, ...] = ()
    for page in pages:
        names = names or tuple(page.columns)
        for name in names:
            if name not in page.columns:
                raise MissingColumnError(resource.label, "value", name, page.columns)
        places = [page.columns.index(name) for name in names]
        rows += [["" if row[at] is None else str(row[at]) for at in places] for row in page.rows]
        numbers += page.numbers
        progress(len(numbers), page.total)
    dialect = Dialect("", 0, names, 1, rows=rows[:HEAD_LINES])
    layout = layout_of(resource.label, dialect, rows[-1:], columns, options)
    return FileRows(layout, read_block(layout, np.array(numbers, dtype=np.int64), rows))


def _as_bad_row(resource: Resource, error: MissingColumnError) -> BadRow:
    reason = f"lacks the column {error.column!r}; the whole resource is left out"
    return BadRow(resource.label, 1, "header", ", ".join(error.header), reason)


def _kept_page(path: Path) -> Page | None:
    """A page kept by an earlier load; None if there is none or it is damaged."""
    try:
        return Page(**json.loads(path.read_bytes()))
    except (FileNotFoundError, TypeError, ValueError):
        return None


def _write_whole(path: Path, content: bytes) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as unfinished:
        part = Path(unfinished) / path.name
        part.write_bytes(content)
        part.replace(path)


def _file_name(text: str) -> str:
    """A name without anything that means something in a path."""
    return re.sub(r"[^A-Za-z0-9-]", "_", text)[:100] or "_"


def _tell(progress: Progress, before: int, is_last: bool, done: int, total: int | None) -> None:
    progress(before + done, before + total if is_last and total is not None else None)
