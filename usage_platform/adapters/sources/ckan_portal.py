"""Talking to a CKAN portal: one question at a time, tried again where that may help.

Belongs here: HTTP, retries, and what CKAN's answers look like from outside. Not here: what is
asked, in which order, and what is kept on disk (`ckan`).
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests

from usage_platform.core.readings.source import SourceError

_TIMEOUTS_SECONDS = (10, 60)
"""To connect, and between two bytes of an answer."""

_PAUSES_SECONDS = (0.5, 1.0, 2.0)
"""Before the second, third and fourth try."""

_WORTH_ANOTHER_TRY = frozenset({429, 500, 502, 503, 504})
_PASSING_FAULTS = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
_CHUNK_BYTES = 1 << 20
MOST_JSON_BYTES = 256 << 20
"""Unpacked: some twenty times what a page of the most rows takes."""

_Answer = TypeVar("_Answer")


class _PassingFaultError(Exception):
    """An answer that may be better next time."""


@dataclass(frozen=True)
class Resource:
    """A part of a dataset.

    Attributes:
        id: The portal's key.
        label: Its name, for people.
        version: Changes whenever the resource does.
        url: Where its file stands.
        has_table: The portal holds its rows as a table that can be asked for by pages.
        is_csv: Its file is CSV.
    """

    id: str
    label: str
    version: str
    url: str
    has_table: bool
    is_csv: bool


@dataclass(frozen=True)
class Page:
    """Some rows of a table.

    Attributes:
        total: How many rows the whole table has.
        columns: The columns' names.
        numbers: For each row its `_id`.
        rows: For each row the values in the order of the columns: integers, texts (numbers with
            a point among them) or None.
    """

    total: int
    columns: list[str]
    numbers: list[int]
    rows: list[list[Any]]


@dataclass(frozen=True)
class CkanPortal:
    """A CKAN portal's action API.

    Attributes:
        base_url: The portal's address, such as https://data.boston.gov.
        pause: Waits that many seconds before another try.

    Raises:
        SourceError: The address is not one of HTTP.
    """

    base_url: str
    pause: Callable[[float], None] = time.sleep
    _session: requests.Session = field(default_factory=requests.Session, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require_http(self.base_url, "the portal's address")

    def resources(self, dataset: str) -> list[Resource]:
        """The dataset's resources that have a table or are CSV files, in the portal's order.

        Raises:
            SourceError: The portal does not know the dataset, cannot be reached, or does not
                answer as CKAN does.
        """
        package = self._action(
            "package_show",
            {"id": dataset},
            f"{self.base_url}: no dataset {dataset!r}; set it to the last part of the dataset's "
            "address on the portal",
        )
        told = package.get("resources")
        changed = str(package.get("metadata_modified"))
        described = [_resource(one, changed) for one in told or [] if isinstance(one, dict)]
        return [one for one in described if one.has_table or one.is_csv]

    def page(self, resource: Resource, offset: int, rows: int) -> Page:
        """Rows of a resource's table in the order of `_id`.

        Args:
            resource: One with a table.
            offset: How many rows to leave out before the first.
            rows: How many to ask for; the portal may give fewer.

        Raises:
            SourceError: The portal has no such table, cannot be reached, does not answer as CKAN
                does, or gives no row where there should be one.
        """
        result = self._action(
            "datastore_search",
            {"resource_id": resource.id, "limit": rows, "offset": offset, "sort": "_id"},
            f"{resource.label}: the portal says it has a table but knows none; try again later",
        )
        try:
            names = [column["id"] for column in result["fields"]]
            records = result["records"]
            values = [[record.get(name) for name in names] for record in records]
            numbers = [int(record["_id"]) for record in records]
            page = Page(int(result["total"]), names, numbers, values)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise SourceError(
                f"{resource.label}: expected fields, records and total from datastore_search; "
                "set the address to that of a CKAN portal"
            ) from None
        if not page.rows and offset < page.total:
            raise SourceError(
                f"{resource.label}: the portal gave {offset} of {page.total} rows; try again later"
            )
        return page

    def download(self, url: str, target: Path) -> None:
        """Writes what stands at an address to a file; on an error the file may hold a part.

        Args:
            url: Only http and https.
            target: Overwritten.

        Raises:
            SourceError: The address is not one of HTTP, cannot be reached or refuses.
        """
        _require_http(url, "the resource's address")

        def to_file(response: requests.Response) -> None:
            with target.open("wb") as file:
                for chunk in response.iter_content(_CHUNK_BYTES):
                    file.write(chunk)

        status, _ = self._ask(url, {}, to_file)
        if status != requests.codes.ok:
            raise SourceError(f"{url}: refused with status {status}; check the resource")

    def _action(self, name: str, params: Mapping[str, str | int], missing: str) -> dict[str, Any]:
        """The result of an action of the API; `missing` is the error if there is no such thing."""
        url = f"{self.base_url.rstrip('/')}/api/3/action/{name}"
        status, answer = self._ask(url, params, _read_json)
        told = answer if isinstance(answer, dict) else {}
        result = told.get("result")
        if told.get("success") is True and isinstance(result, dict):
            return result
        if status == requests.codes.not_found and told:
            raise SourceError(missing)
        raise SourceError(
            f"{self.base_url}: {name} was refused with status {status} "
            f"({_one_line(told.get('error'))}); check the address, and that the dataset is public"
        )

    def _ask(
        self,
        url: str,
        params: Mapping[str, str | int],
        read: Callable[[requests.Response], _Answer],
    ) -> tuple[int, _Answer]:
        """The status and what `read` makes of the answer, tried up to four times."""
        pauses = iter(_PAUSES_SECONDS)
        while True:
            try:
                # A body that breaks off is noticed while it is read: reading is tried again too.
                with self._session.get(
                    url, params=dict(params), timeout=_TIMEOUTS_SECONDS, stream=True
                ) as response:
                    if response.status_code in _WORTH_ANOTHER_TRY:
                        raise _PassingFaultError(f"status {response.status_code}")
                    return response.status_code, read(response)
            except (*_PASSING_FAULTS, _PassingFaultError) as fault:
                pause = next(pauses, None)
                if pause is None:
                    raise SourceError(_given_up(url, fault)) from None
                self.pause(pause)
            except requests.RequestException as fault:
                raise SourceError(f"{url}: {_one_line(fault)}; check the address") from None


def _resource(told: Mapping[str, Any], package_changed: str) -> Resource:
    url = str(told.get("url"))
    changed = [str(at) for at in (told.get("last_modified"), told.get("metadata_modified")) if at]
    is_csv_url = urlsplit(url).path.lower().endswith((".csv", ".csv.gz"))
    return Resource(
        id=str(told.get("id")),
        label=" ".join(str(told.get("name") or told.get("id")).split()),
        version=" ".join(changed) or package_changed,
        url=url,
        has_table=told.get("datastore_active") in (True, "True", "true"),
        is_csv=is_csv_url or str(told.get("format")).lower() == "csv",
    )


def _given_up(url: str, fault: Exception) -> str:
    tries = len(_PAUSES_SECONDS) + 1
    what = str(fault) if isinstance(fault, _PassingFaultError) else type(fault).__name__
    return (
        f"{urlsplit(url).netloc}: no good answer in {tries} tries ({what}); check the network, "
        "try again later (what has come is kept), or play a CSV file or generated readings"
    )


def _require_http(url: str, what: str) -> None:
    """Makes sure that an address is one of HTTP.

    Raises:
        SourceError: It is not.
    """
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        fits = False
    if not fits:
        raise SourceError(f"{what} is {url!r}; expected one that starts with http:// or https://")


def _read_json(response: requests.Response) -> Any:  # noqa: ANN401 - JSON may be anything
    """The body as JSON, numbers with a point as text."""
    body = _bounded_body(response)
    try:
        return json.loads(body, parse_float=str, parse_constant=str)
    except ValueError:
        if "json" in response.headers.get("Content-Type", ""):
            raise _PassingFaultError("the JSON is cut off or damaged") from None
        raise SourceError(
            f"{response.url}: the answer is not JSON (status {response.status_code}); "
            "set the address to that of a CKAN portal"
        ) from None


def _bounded_body(response: requests.Response) -> bytes:
    """The body; a few kilobytes that unpack to gigabytes do not fill memory.

    Raises:
        SourceError: It is too large to be an answer of CKAN.
    """
    body = bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > MOST_JSON_BYTES:
            raise SourceError(
                f"{response.url}: the answer has more than {MOST_JSON_BYTES >> 20} MiB; set the "
                "address to that of a CKAN portal"
            )
    return bytes(body)


def _one_line(told: object) -> str:
    return " ".join(str(told).split())[:200]
