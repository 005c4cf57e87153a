"""Topics of MQTT: which filters are taken, and which meter a topic names."""

import pytest

from usage_platform.core.samples.topic_filter import TopicFilter


@pytest.mark.parametrize(
    ("text", "topic", "meter"),
    [
        ("tele/+/SENSOR", "tele/plug 1/SENSOR", "plug 1"),
        ("tele/+/SENSOR", "tele/plug/STATE", None),
        ("tele/+/SENSOR", "tele/a/b/SENSOR", None),
        ("tele/+/SENSOR", "tele//SENSOR", None),
        ("tele/+/SENSOR", "tele/\n/SENSOR", None),
        ("+/power", "clamp/power", "clamp"),
        ("meters/+", "meters/hall", "hall"),
        ("meters/#", "meters/hall/main", "hall/main"),
        ("meters/#", "meters", None),
        ("#", "hall/main", "hall/main"),
    ],
)
def test_the_wildcard_names_the_meter(text, topic, meter):
    assert TopicFilter(text).meter_of(topic) == meter


@pytest.mark.parametrize(
    "text",
    ["", "tele/plug", "+/+", "+/#", "#/x", "a+/b", "tele/+x", "$SYS/+", "a\n/+", "a" * 70000],
)
def test_another_filter_is_refused_in_one_line(text):
    with pytest.raises(ValueError, match=r"^expected a topic with one wildcard[^\n]+$"):
        TopicFilter(text)
