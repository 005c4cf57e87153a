"""Messages on `anomaly` and `episode` that the platform did not write, and one that it did."""

import json

from usage_platform.core.anomalies.message_parsing import MOST_BYTES

ANOMALY = {
    "ts": "2024-11-03T00:00:00-04:00",
    "anomaly_id": "0123456789abcdef",
    "meter": "library",
    "usage": 1.5,
    "expected": 2.0,
    "expected_low": 1.0,
    "expected_high": 3.0,
    "score": 1.2,
    "severity": "high",
    "kind": "spike",
    "direction": "above",
    "excess_kwh": None,
    "episode": "2024-11-03T04:00Z",
    "explanation": "why",
    "z": None,
    "z_short": None,
    "z_week": -0.5,
    "run": 3,
    "model_version": "v",
    "status": "told",
}
STRAY = [
    None,
    b"",
    b"hello",
    b'{"x":1}',
    b"[]",
    b"null",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    json.dumps(ANOMALY).encode("utf-16"),
    json.dumps(ANOMALY)[:-1].encode(),
    json.dumps({**ANOMALY, "explanation": "x" * MOST_BYTES}).encode(),
    json.dumps({**ANOMALY, "status": "lost"}).encode(),
    json.dumps({**ANOMALY, "meter": "two\nlines"}).encode(),
    json.dumps({**ANOMALY, "more": "\ud800"}).encode(),
    json.dumps({**ANOMALY, "run": 2**80}).encode(),
    json.dumps(ANOMALY)[:-1].encode() + b',"more":1' + b"0" * 5000 + b"}",
    json.dumps({**ANOMALY, "usage": float("inf")}).encode(),
    json.dumps({**ANOMALY, "ts": "2024-W10-1T00:00:00Z"}).encode(),
    json.dumps({**ANOMALY, "ts": "9999-01-01T00:00:00Z"}).encode(),
]
