"""What is told as readings come, and what a late or corrected one changes."""

import pandas as pd

from usage_platform.core.anomalies import stream as stream_module
from usage_platform.core.anomalies.anomaly import WITHDRAWN, no_anomalies
from usage_platform.core.anomalies.gap_messages import reportable_gaps
from usage_platform.core.anomalies.published import PublishedAnomalies
from usage_platform.core.anomalies.stream import RETENTION
from usage_platform.core.detector.model_timeline import LOOK_BACK
from usage_platform_tests.core.anomalies.streamed import HOUR, START, Stream, batches_of, on_day
from usage_platform_tests.core.detector.made_models import (
    cut_forests,
    hourly,
    model,
    readings,
    timeline_of,
)
from usage_platform_tests.core.detector.series import HOURLY


def blog_stream():
    return Stream(timeline_of(model("v", START, {"m": cut_forests(HOURLY)})))


def told(to_tell):
    rows = to_tell.anomalies
    hours = (rows["event_time"] - START) // HOUR
    return list(zip(hours.tolist(), rows["status"].tolist(), strict=True))


def lives(to_tell):
    return [(event.episode[-6:-1], event.status.value) for event in to_tell.episodes]


def test_a_corrected_reading_withdraws_the_anomaly_by_its_id_and_its_episode():
    stream = blog_stream()
    first = stream.take(hourly(START, [150, 500, 150]))
    assert told(first) == [(1, "told")]
    second = stream.take(hourly(START + HOUR, [150]))
    assert told(second) == [(1, WITHDRAWN)]
    assert second.anomalies["anomaly_id"].tolist() == first.anomalies["anomaly_id"].tolist()
    assert lives(second) == [("06:00", "withdrawn")]
    third = stream.take(hourly(START + HOUR, [500]))
    assert told(third) == [(1, "told")]
    assert lives(third) == [("06:00", "opened"), ("06:00", "closed")]


def test_a_late_reading_joins_two_episodes_to_one():
    stream = blog_stream()
    rows = hourly(START, [500, 150, 500])
    first = stream.take(rows.drop(1))
    assert first.anomalies["episode"].nunique() == 2
    second = stream.take(hourly(START + HOUR, [500]))
    assert told(second) == [(1, "told"), (2, "told")]
    assert set(stream.stands()["episode"]) == {"2024-01-01T05:00Z"}
    assert ("07:00", "withdrawn") in lives(second)
    assert lives(second)[0] == ("05:00", "updated")


def test_an_episode_goes_on_over_batches_with_its_name_and_closes_once():
    stream = blog_stream()
    said = [
        lives(stream.take(hourly(START + n * HOUR, [kw])))
        for n, kw in enumerate([500, 500, 500, 150, 150])
    ]
    assert said == [
        [("05:00", "opened")],
        [("05:00", "updated")],
        [("05:00", "updated")],
        [("05:00", "closed")],
        [],
    ]


def test_readings_that_come_again_are_not_judged_again():
    stream = blog_stream()
    rows = hourly(START, [150, 500, 500])
    assert stream.take(rows).scored == 3
    again = stream.take(rows)
    assert (again.scored, again.repeated, again.episodes) == (0, 0, [])
    corrected = stream.take(hourly(START, [160]))
    assert (corrected.scored, corrected.repeated) == (3, 2)
    assert corrected.anomalies.empty


def test_no_readings_have_nothing_to_tell():
    to_tell = blog_stream().take(readings())
    assert to_tell.anomalies.dtypes.equals(no_anomalies().dtypes)
    assert (to_tell.episodes, to_tell.scored, to_tell.learning) == ([], 0, 0)


def test_what_is_long_past_is_forgotten_and_read_again_for_a_late_reading():
    stream = blog_stream()
    days = (LOOK_BACK + 2 * RETENTION).days + 20
    rows = hourly(START, [150] * 24 * days)
    for part in batches_of(rows, range(240, 24 * days, 240)):
        stream.take(part)
    held = stream.memory.history.of("m").instants
    assert pd.Timedelta(int(held[-1] - held[0])) <= LOOK_BACK + 2 * RETENTION
    assert not stream.asked
    late = stream.take(hourly(on_day(1), [500]))
    assert stream.asked == [("m", (on_day(1) - LOOK_BACK).value, int(held[0]))]
    assert told(late) == [(24, "told")]
    assert late.scored == 24 * (days - 1)


def test_a_late_reading_with_an_empty_past_is_judged_all_the_same():
    stream = blog_stream()
    stream.memory.floor = on_day(40).value
    stream.readings = lambda *span: pd.DataFrame(columns=["meter", "event_time", "value"])
    stream.take(hourly(on_day(80), [150, 500]))
    assert told(stream.take(hourly(on_day(9), [500]))) == [(9 * 24, "told")]


def test_a_batch_reads_once_what_was_published_of_a_meter_and_its_gaps(monkeypatch):
    stream, read, spans = blog_stream(), [], []

    class Counted(PublishedAnomalies):
        def of(self, meter, start):
            read.append((meter, start))
            return super().of(meter, start)

    def counted(instants, start, meter, *silent_from):
        spans.append(len(instants))
        return reportable_gaps(instants, start, meter, *silent_from)

    stream.memory.published = Counted()
    monkeypatch.setattr(stream_module, "reportable_gaps", counted)
    for n, kw in enumerate([150, 500, 150, 150]):
        stream.take(hourly(START + n * HOUR, [kw]))
    assert read == [("m", (START + n * HOUR).value) for n in range(4)]
    # Before and after a batch that may change what was published; after it only, else.
    assert spans == [1, 0, 2, 1, 3, 2, 4]
