"""Export of the page's data: CSV for spreadsheets, Parquet for programs.

Belongs here: `/api/export`. Not here: how the rows are read (`hours`, `services.page_data`).

Each time is written in UTC and in local time with its offset, so that the hour repeated in autumn
stays two rows.
"""

import io
import re
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from usage_platform.core.feedback.reviews import NO_REVIEWS, states
from usage_platform.core.meters import Meter
from usage_platform.services.page_data import Year
from usage_platform.services.spreadsheet_text import without_formulas
from usage_platform.web.hours import rows_between
from usage_platform.web.parameters import source_of, span_of, year_of
from usage_platform.web.source import PageSource

_TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}

_WITHOUT = re.compile(r"_kw$")
_Rows = Callable[[PageSource, Year, int, int], pd.DataFrame]


def export(request: Request) -> Response:
    """A file of `what` (hours, readings, episodes) from `from` to `to`, in `format`."""
    what = request.query_params.get("what", "hours")
    form = request.query_params.get("format", "csv")
    if what not in _WHAT or form not in _TYPES:
        raise HTTPException(
            400,
            f"export: expected what={'|'.join(_WHAT)} and format={'|'.join(_TYPES)}, "
            f"got {what[:40]!r} and {form[:40]!r}",
        )
    source, year = source_of(request), year_of(request)
    start, end = span_of(request, _year_ends(year))
    rows = _WHAT[what](source, year, start, end)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", year.power.meter.name).strip("-.") or "meter"
    body = _csv(rows) if form == "csv" else _parquet(rows)
    disposition = f'attachment; filename="{name}-{what}.{form}"'
    return Response(body, media_type=_TYPES[form], headers={"Content-Disposition": disposition})


def _year_ends(year: Year) -> tuple[int, int]:
    power = year.power
    return (int(power.instants[0]), int(power.instants[-1]) + 1) if len(power) else (0, 0)


def _hours(source: PageSource, year: Year, start: int, end: int) -> pd.DataFrame:
    rows = rows_between(source, year.power.meter, start, end)
    return _with_local(rows, ("start", "end"), year.power.meter)


def _readings(source: PageSource, year: Year, start: int, end: int) -> pd.DataFrame:
    part = year.power.between(start, end)
    rows = pd.DataFrame(
        {
            "start": pd.DatetimeIndex(part.instants).tz_localize("UTC"),
            "kw": part.values,
            "expected_kw": part.expected,
            "expected_low_kw": part.low,
            "expected_high_kw": part.high,
        }
    )
    return _with_local(rows, ("start",), part.meter)


def _episodes(source: PageSource, year: Year, start: int, end: int) -> pd.DataFrame:
    known = states(source.reviews.read())
    begin, until = (pd.Timestamp(at, tz="UTC") for at in (start, end))
    rows = []
    for one in year.episodes:
        if one.overlaps(begin, until):
            state = known.get((one.meter, one.name), NO_REVIEWS)
            notes = [review.note for review in state.reviews if review.note]
            seen = state.acknowledged_at is not None
            rows.append(
                {
                    **{k: v for k, v in vars(one).items() if k not in {"meter", "name"}},
                    "acknowledged": seen,
                    "label": None if state.says is None else state.says.value,
                    "notes": " | ".join(notes),
                }
            )
    frame = pd.DataFrame(rows, columns=None if rows else ["start", "end", "peak_at"])
    return _with_local(frame, ("start", "end", "peak_at"), year.power.meter)


_WHAT: dict[str, _Rows] = {"hours": _hours, "readings": _readings, "episodes": _episodes}


def _with_local(rows: pd.DataFrame, names: tuple[str, ...], meter: Meter) -> pd.DataFrame:
    """Add the meter as first column, and each time in local time and UTC.

    Numbers of another unit than kW get a column that names it in place of their own name.
    """
    columns: dict[str, object] = {"meter": meter.name}
    if not meter.is_power:
        columns["unit"] = meter.unit.value
        rows = rows.rename(columns=lambda name: "value" if name == "kw" else _WITHOUT.sub("", name))
    for name in rows.columns:
        if name in names:
            times = pd.to_datetime(rows[name], utc=True)
            columns[f"{name}_local"] = [t.isoformat() for t in times.dt.tz_convert(meter.zone)]
            columns[f"{name}_utc"] = times
        else:
            columns[str(name)] = rows[name]
    return pd.DataFrame(columns, index=rows.index)


def _csv(rows: pd.DataFrame) -> bytes:
    safe = without_formulas(rows)
    return safe.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%SZ").encode()


def _parquet(rows: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), out, compression="zstd")
    return out.getvalue()


ROUTES = (Route("/api/export", export),)
