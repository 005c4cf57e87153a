"""An error that nobody expects at one target fails the turn after the others had theirs."""

from datetime import UTC, datetime

import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.services.deliver_alerts import Delivered
from usage_platform.services.routed_alerts import RoutedAlerts
from usage_platform.services.sink_turn import SinkTurn


@pytest.mark.parametrize("broken", ["a", "b", "c"])
def test_a_target_that_breaks_stops_no_other(tmp_path, monkeypatch, broken):
    def deliver(self, name, state, now, ends):
        if name == broken:
            raise RuntimeError("a queue that cannot be")
        return Delivered(sent=1)

    monkeypatch.setattr(RoutedAlerts, "_route", lambda *_: None)
    monkeypatch.setattr(RoutedAlerts, "_deliver", deliver)
    routed = RoutedAlerts(
        LakeFiles(str(tmp_path)),
        dict.fromkeys("abc"),
        inputs=None,
        feed=None,
        turns=lambda name: SinkTurn(tmp_path / name),
        give_up=None,
    )
    reached: list[str] = []

    def go_on():
        for name, _ in routed.turn(datetime.now(UTC), 5.0):
            reached.append(name)

    with pytest.raises(RuntimeError, match="cannot be"):
        go_on()
    assert sorted([*reached, broken]) == ["a", "b", "c"]
