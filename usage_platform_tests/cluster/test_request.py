"""What a job is asked: it travels as plain values, without secrets, and bad ones are one line."""

import json
from datetime import date

import pytest

from usage_platform.cluster.request import (
    DrainTopics,
    RecomputeHours,
    Request,
    RequestError,
    TrainModels,
)
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.time.calendar import Calendar
from usage_platform.services.train_weeks import TrainingRequest
from usage_platform.settings.settings import Settings, SettingsError

BORROWER = ("emr-serverless", "a-run")
HOURS = RecomputeHours(first=date(2024, 3, 5), last=date(2024, 3, 6))
BROKER = "b-1.usage.abc123.c2.kafka.us-east-1.amazonaws.com:9098"


def settings(**more):
    return Settings.from_env({}, lake="s3://bucket/lake", **more)


def travelled(request):
    return Request.parsed(json.loads(json.dumps(request.extras())))


def wanted() -> TrainingRequest:
    calendar = Calendar("US", "MA", (date(2024, 7, 5),))
    options = TrainingOptions(calendar, Method.ROBUST_Z, 1.5, 0.1)
    return TrainingRequest((date(2024, 3, 4), date(2024, 3, 11)), options, ("annex",), True)


MODELS = TrainModels.of(wanted()).model_dump(mode="json")


def without(given: dict, name: str) -> dict:
    return {key: value for key, value in given.items() if key != name}


@pytest.mark.parametrize("work", [HOURS, DrainTopics(), TrainModels.of(wanted())])
def test_a_request_is_the_same_after_its_way(work):
    request = Request.of(settings(kafka_bootstrap="b:1"), work, BORROWER)
    assert travelled(request) == request


def test_a_training_request_is_the_same_after_its_way():
    request = travelled(Request.of(settings(), TrainModels.of(wanted()), None))
    assert request.work.request() == wanted()


def test_the_settings_of_this_machine_and_secrets_do_not_travel():
    secret = "a-password"
    given = settings(
        kafka_bootstrap=BROKER,
        kafka_security="iam",
        alert_webhook_secret="0123456789abcdef",
        alert_smtp_url=f"smtp://user:{secret}@host:587",
        timezone="Europe/Rome",
    )
    told = Request.of(given, HOURS, BORROWER)
    assert told.settings == {
        "USAGE_LAKE": "s3://bucket/lake",
        "USAGE_METER": "central-library",
        "USAGE_TIMEZONE": "Europe/Rome",
        "USAGE_INTERVAL_MINUTES": "5",
    }
    of_topics = Request.of(given, DrainTopics(), BORROWER).settings
    assert of_topics == told.settings | {
        "USAGE_KAFKA_BOOTSTRAP": BROKER,
        "USAGE_KAFKA_SECURITY": "iam",
    }
    assert Settings.from_env(of_topics).kafka_bootstrap == BROKER


def test_brokers_that_no_cluster_reaches_are_refused_before_a_job_is_started():
    with pytest.raises(SettingsError, match=r"^USAGE_KAFKA_BOOTSTRAP: set it to brokers .+$"):
        Request.of(settings(), DrainTopics(), BORROWER)
    by_password = settings(
        kafka_bootstrap="b:1", kafka_security="scram", kafka_user="u", kafka_password="p"
    )
    with pytest.raises(SettingsError, match=r"^USAGE_KAFKA_SECURITY=scram: .+ use iam, or .+$"):
        Request.of(by_password, DrainTopics(), BORROWER)
    assert "USAGE_KAFKA_SECURITY" not in Request.of(by_password, HOURS, BORROWER).settings


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"work": {"kind": "delete"}}, "work"),
        ({"work": {"kind": "hours", "first": "2024-03-05"}}, r"work\.hours\.last"),
        ({"work": {"kind": "hours", "first": "2024-03-06", "last": "2024-03-05"}}, r"work\.hours"),
        ({"work": {**MODELS, "untils": []}}, r"work\.models\.untils"),
        *(
            ({"work": {**MODELS, "options": options}}, r"work\.models\.options")
            for options in (
                without(MODELS["options"], "method"),
                {**MODELS["options"], "least_share": 0.1},
                {**MODELS["options"], "calendar": {"country": "US"}},
                {**MODELS["options"], "false_alarms_per_week": 9.0},
            )
        ),
        ({"borrower": "me"}, "borrower"),
        ({"more": 1}, "more"),
    ],
)
def test_a_request_of_another_form_is_one_line_that_names_the_part(changed, named):
    extras = Request.of(settings(), HOURS, BORROWER).extras()
    with pytest.raises(RequestError, match=rf"^{named}: .+ must be of one version$"):
        Request.parsed({**extras, **changed})


def test_a_job_of_other_code_refuses_the_request_and_says_what_to_do():
    extras = Request.of(settings(), HOURS, BORROWER).extras()
    with pytest.raises(RequestError, match=r"^code: .+ with make emr-package, [^\n]+$"):
        Request.parsed({**extras, "code": "0" * 64})
    # The platform before this one sent none.
    with pytest.raises(RequestError, match=r"^code: "):
        Request.parsed(without(extras, "code"))
