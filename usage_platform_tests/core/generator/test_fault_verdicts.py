import pandas as pd
import pytest

from usage_platform.core.generator.fault_verdicts import Verdict, evaluate_faults

JUDGED_FROM = pd.Timestamp("2024-01-29T05:00:00Z")


def at(day, hour=0):
    return pd.Timestamp(f"2024-02-{day:02}T{hour:02}:00:00Z")


def faults(*spans, meter="library"):
    return pd.DataFrame([{"meter": meter, "start": start, "end": end} for start, end in spans])


def anomalies(*times, meter="library"):
    times = pd.Series(times, dtype="datetime64[ns, UTC]")
    return pd.DataFrame({"meter": meter, "event_time": times})


def test_a_fault_is_found_by_the_first_anomaly_within_it_and_its_end_is_none_of_it():
    judged = evaluate_faults(
        faults((at(5), at(6)), (at(7), at(8))),
        anomalies(at(5, 3), at(5, 2), at(8)),
        JUDGED_FROM,
    )
    assert judged.verdicts == [Verdict.FOUND, Verdict.MISSED]
    assert judged.delays[0] == pd.Timedelta(hours=2)
    assert judged.delays[1] is pd.NaT
    assert (judged.found, judged.evaluated, judged.outside) == (1, 2, 1)


def test_anomalies_of_another_meter_find_nothing():
    judged = evaluate_faults(faults((at(5), at(6))), anomalies(at(5), meter="annex"), JUDGED_FROM)
    assert judged.verdicts == [Verdict.MISSED]
    assert judged.outside == 1


@pytest.mark.parametrize("found", [anomalies(), anomalies(pd.Timestamp("2024-01-20T01:00:00Z"))])
def test_a_fault_that_was_over_before_a_model_knew_better_is_not_judged(found):
    early = faults((pd.Timestamp("2024-01-20T00:00:00Z"), pd.Timestamp("2024-01-20T09:00:00Z")))
    judged = evaluate_faults(early, found, JUDGED_FROM)
    assert judged.verdicts == [Verdict.LEARNED]
    assert (judged.found, judged.evaluated, judged.outside) == (0, 0, 0)


def test_an_anomaly_within_two_faults_is_inside_once():
    judged = evaluate_faults(faults((at(5), at(7)), (at(6), at(8))), anomalies(at(6)), JUDGED_FROM)
    assert judged.verdicts == [Verdict.FOUND, Verdict.FOUND]
    assert judged.outside == 0


def test_anomalies_within_a_lasting_fault_are_not_outside_and_find_nothing():
    lasting = faults((at(5), at(7)))
    judged = evaluate_faults(faults((at(9), at(10))), anomalies(at(5), at(7)), JUDGED_FROM, lasting)
    assert judged.verdicts == [Verdict.MISSED]
    assert judged.outside == 1
    other = faults((at(5), at(7)), meter="annex")
    assert evaluate_faults(faults(), anomalies(at(5)), JUDGED_FROM, other).outside == 1
