"""Random messages of every kind that somebody may send, near to valid ones.

Belongs here: the strategies. Not here: sending them and who reads them (`readers`).
"""

import json
from dataclasses import dataclass

from hypothesis import HealthCheck
from hypothesis import strategies as st

from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE, USAGE
from usage_platform_tests.stray_messages import ANOMALY as ANOMALY_MESSAGE
from usage_platform_tests.stray_messages import STRAY

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)
"""What is as it must be: messages are large, and a broker is asked."""

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


@dataclass(frozen=True)
class Sent:
    """A message as it is produced.

    Attributes:
        topic: The topic.
        key: The key, or None.
        value: The value, or None.
        codec: How the producer compresses it.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    codec: str


_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["W", "kW", "MW", "kWh", 10**400, "", "\ud800"])
)
_json = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
_names = st.one_of(
    st.sampled_from(["library", "m1", "m2", "=?utf-8?q?x?=", "$a$", "<b>", "a\nb", "x" * 300, ""]),
    st.text(max_size=30),
)
_times = st.one_of(
    st.sampled_from(
        [
            *("2024-03-05T13:05:00Z", "2024-03-05 13:05:00+00", "2024-03-05T13:05:00.0000000-0500"),
            *("2024-03-10 02:30:00", "2024-11-03 01:30:00", "2099-01-01T00:00:00Z", "1970-01-01"),
            *(1709661900, 1709661900000, 1709661900.5, -1, 1e300, "24:00", "NaT"),
        ]
    ),
    st.datetimes().map(lambda at: at.isoformat()),
    st.integers(),
    _scalars,
)
_events = st.fixed_dictionaries(
    {},
    optional={
        "meter": _names | _scalars,
        "ts": _times,
        "value": st.floats() | _scalars,
        "unit": _scalars,
        "more": _json,
    },
)
_enveloped = st.fixed_dictionaries({"schema": _json, "payload": _events | _json})
_messages = st.builds(
    lambda field, value: {**ANOMALY_MESSAGE, field: value},
    st.sampled_from([*ANOMALY_MESSAGE, "more"]),
    _json,
)
_sizes = st.sampled_from([3_999, 4_000, 4_001, 20_001, 1_000_000, 3_000_000])
_bytes = st.one_of(
    st.one_of(_events, _enveloped, _messages, _json).map(lambda one: json.dumps(one).encode()),
    st.builds(json.dumps(ANOMALY_MESSAGE).encode().__getitem__, st.slices(400)),
    st.binary(max_size=64),
    st.sampled_from([value for value in STRAY if value is not None]),
    # As large as the broker takes, and more.
    st.builds(lambda byte, count: byte * count, st.binary(min_size=1, max_size=1), _sizes),
    st.builds(lambda bracket, count: bracket * count, st.sampled_from([b"[", b'{"a":']), _sizes),
    st.none(),
)
MESSAGES = st.builds(
    Sent,
    topic=st.sampled_from([USAGE, USAGE, ANOMALY, EPISODE]),
    key=st.none() | st.binary(max_size=20) | _names.map(lambda n: n.encode(errors="ignore")),
    value=_bytes,
    codec=st.sampled_from(CODECS),
)
