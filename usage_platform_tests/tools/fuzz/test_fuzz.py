import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform_tests.tools.fuzz.random_messages import MESSAGES, SLOW
from usage_platform_tests.tools.fuzz.readers import Readers


@pytest.mark.kafka
def test_no_message_stops_a_reader_and_every_event_is_accounted_for(kafka, lake):
    readers = Readers(kafka, lake)

    @settings(max_examples=6, deadline=None, suppress_health_check=SLOW)
    @given(st.lists(MESSAGES, min_size=20, max_size=60))
    def play(messages):
        readers.read(messages)

    play()
