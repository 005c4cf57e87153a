from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.adapters.kafka.events import raw_frame
from usage_platform.adapters.kafka.sample_messages import sample_message
from usage_platform.core.measurement import Quantity, Unit
from usage_platform.core.meter_descriptions.samples import SampleDescription
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.validation import validate_events
from usage_platform.core.samples.parsing import parse_samples
from usage_platform.core.time.broker_time import broker_milliseconds, broker_times

NOW = 1_709_661_900_000
# None; microseconds, nanoseconds; seconds; what else fits into a message.
ODD = (-1, NOW * 1_000, NOW * 1_000_000, NOW // 1_000, 2**63 - 1, -(2**63))
times = st.sampled_from([NOW, *ODD]) | st.integers(-(2**63), 2**63 - 1)


def test_what_can_be_a_time_is_it_to_the_millisecond():
    assert broker_times([NOW + 7]).tolist() == [pd.Timestamp("2024-03-05T18:05:00.007Z")]


@given(st.lists(times))
def test_what_can_be_none_is_1970(found):
    instants = broker_times(found)
    assert str(instants.dtype) == "datetime64[ns, UTC]"
    assert instants.between("1970-01-01", "2200-01-01").all()
    assert (instants.astype("int64") // 10**6).tolist() == list(map(broker_milliseconds, found))


def message(received, value=b'{"ts": "2024-03-05T13:05:00-05:00", "value": 1}', key=None):
    parts = {"topic": "usage", "partition": 0, "offset": 0, "key": key, "value": value}
    parts["headers"] = None
    methods = {name: lambda part=part: part for name, part in parts.items()}
    return SimpleNamespace(**methods, timestamp=lambda: (1, received))


@pytest.mark.parametrize("received", [NOW, *ODD])
def test_an_event_is_a_reading_or_one_of_the_future(received):
    batch = validate_events(raw_frame([message(received)]), MeterRegistry(Meter("library")))
    assert len(batch.readings) == (received == NOW)
    assert batch.rejects["reason"].tolist() == ([] if received == NOW else ["future_time"])


@pytest.mark.parametrize("received", ODD)
def test_a_sample_without_a_time_of_its_own_is_of_long_ago(received):
    book = {"plug": SampleDescription(path=("$",), quantity=Quantity.POWER, unit=Unit.W)}
    sample = sample_message(message(received, b"1", b"plug"))
    [reason] = parse_samples([sample], book, MeterRegistry()).reasons
    assert reason is not None
    assert reason.startswith("too_old: ")
