"""Readings from a dataset of an open-data portal that runs CKAN, kept on disk as they come.

Belongs here: which resources and pages are asked for, and the cache. Not here: HTTP and retries
(`ckan_portal`), splitting CSV (`csv_file`), and what a readable row is (`core.readings.csv_rows`).

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
from usage_platform.adapters.sources.csv_file import read_csv
from usage_platform.core.meters import Meter
from usage_platform.core.readings.csv_rows import CsvColumns, RawRows, combine, read_rows
from usage_platform.core.readings.source import (
    BadRow,
    MissingColumnError,
    Progress,
    SourceError,
    SourceReadings,
)

DEFAULT_PORTAL = "https://data.boston.gov"
DEFAULT_DATASET = "central-library-electricity-usage"
DEFAULT_PAGE_ROWS = 10_000


@dataclass(frozen=True)
class CkanSource:
    """All readings of one dataset, which are those of one meter.

    Attributes:
        cache_dir: Where pages are kept between loads, such as the lake's assets/.
        base_url: The portal's address.
        dataset: The dataset's name, the last part of its address on the portal.
        meter: Whose readings they are; gives the time zone and the interval.
        columns: Which columns hold what.
        page_rows: Rows asked for at once; a portal may give fewer.
        pause: Waits that many seconds before another try.
    """

    cache_dir: Path
    base_url: str = DEFAULT_PORTAL
    dataset: str = DEFAULT_DATASET
    meter: Meter = field(default_factory=Meter)
    columns: CsvColumns = field(default_factory=CsvColumns)
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
        tables: list[RawRows] = []
        unfit: list[MissingColumnError] = []
        done = 0
        for resource in resources:
            tell = partial(_tell, progress, done, resource is resources[-1])
            try:
                rows = self._read(portal, resource, tell)
            except MissingColumnError as error:
                unfit.append(error)
                rows = _as_bad_row(resource, error)
            except OSError as error:
                raise SourceError(
                    f"{self.cache_dir}: what was fetched cannot be kept there "
                    f"({error.strerror or error}); make room or set another folder"
                ) from None
            done += len(rows.numbers) + len(rows.bad_rows)
            tables.append(rows)
        if len(unfit) == len(resources):
            raise unfit[0]
        if done == len(unfit):
            raise SourceError(f"{self.name}: its resources have no rows; check the dataset")
        progress(done, done)
        return combine([read_rows(t, self.meter, self.columns) for t in tables], (self.meter,))

    def _read(self, portal: CkanPortal, resource: Resource, progress: Progress) -> RawRows:
        """The rows of one resource, through the cache."""
        versions = self.cache_dir / _file_name(self.dataset) / _file_name(resource.id)
        folder = versions / _file_name(resource.version)
        folder.mkdir(parents=True, exist_ok=True)
        if resource.has_table:
            pages = self._pages(portal, resource, folder)
            rows = _table_rows(pages, resource, self.columns, progress)
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
    ) -> RawRows:
        is_gzip = urlsplit(resource.url).path.endswith(".gz")
        kept = folder / ("resource.csv.gz" if is_gzip else "resource.csv")
        if not kept.exists():
            with tempfile.TemporaryDirectory(dir=folder) as unfinished:
                part = Path(unfinished) / kept.name
                portal.download(resource.url, part)
                part.replace(kept)
        try:
            return read_csv(kept, self.columns, resource.label, progress)
        except SourceError:
            # What cannot be read may have been a page that told of a fault; do not stick to it.
            kept.unlink()
            raise


def _table_rows(
    pages: Iterator[Page], resource: Resource, columns: CsvColumns, progress: Progress
) -> RawRows:
    """The pages' rows as text, numbered by the portal's `_id`."""
    numbers: list[int] = []
    fields: dict[str, list[str]] = {"time": [], "value": []}
    for page in pages:
        positions = columns.positions(page.columns, resource.label)
        for part, position in positions.items():
            texts = ["" if row[position] is None else str(row[position]) for row in page.rows]
            fields.setdefault(part, []).extend(texts)
        numbers += page.numbers
        progress(len(numbers), page.total)
    return RawRows(resource.label, np.array(numbers, dtype=np.int64), fields)


def _as_bad_row(resource: Resource, error: MissingColumnError) -> RawRows:
    reason = f"lacks the column {error.column!r}; the whole resource is left out"
    header = BadRow(resource.label, 1, "header", ", ".join(error.header), reason)
    fields: dict[str, list[str]] = {"time": [], "value": []}
    return RawRows(resource.label, np.empty(0, dtype=np.int64), fields, (header,))


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
