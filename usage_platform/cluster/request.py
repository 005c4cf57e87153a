"""What a job on a cluster is asked to do, as it travels there.

Belongs here: its form, and reading it with clear errors. Not here: doing it (`job`), where the job
runs (`adapters.aws.emr_jobs`).
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from usage_platform.adapters.kafka.security import SecurityKind
from usage_platform.cluster.code_digest import code_digest
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.time.calendar import Calendar
from usage_platform.services.train_weeks import TrainingRequest
from usage_platform.settings.settings import PREFIX, Settings, SettingsError

# Nothing else is passed on: no secret, and nothing of the machine that asks.
_PASSED_ON = ("lake", "meter", "timezone", "interval_minutes")
_TOLD_OF_KAFKA = ("kafka_bootstrap", "kafka_security")


class RequestError(ValueError):
    """A request that no job can carry out; one line."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RecomputeHours(_Part):
    """Days of `usage_hourly` recomputed from `readings`.

    Attributes:
        first: The first UTC day.
        last: The last UTC day, inclusive.
    """

    kind: Literal["hours"] = "hours"
    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.last:
            raise ValueError(f"first {self.first} is after last {self.last}")
        return self


class DrainTopics(_Part):
    """The events of Kafka into the lake, with a checkpoint of the cluster's own."""

    kind: Literal["topics"] = "topics"


class TrainModels(_Part):
    """Models trained and put into the store: a `TrainingRequest` as it travels."""

    kind: Literal["models"] = "models"
    untils: tuple[date, ...] = Field(min_length=1)
    options: TrainingOptions
    meters: tuple[str, ...]
    promote_anyway: bool

    @field_validator("options", mode="before")
    @classmethod
    def _complete(cls, options: object) -> object:
        """An option that is missing or unknown would else silently get its default."""
        _check_fields(TrainingOptions, options)
        _check_fields(Calendar, options.get("calendar") if isinstance(options, dict) else None)
        return options

    @classmethod
    def of(cls, request: TrainingRequest) -> Self:
        """A training request; the labels stay in the lake, where the job finds them."""
        return cls(
            untils=tuple(request.untils),
            options=request.options,
            meters=request.meters,
            promote_anyway=request.promote_anyway,
        )

    def request(self) -> TrainingRequest:
        """The training request that this is."""
        return TrainingRequest(self.untils, self.options, self.meters, self.promote_anyway)


def _check_fields(kind: type[TrainingOptions | Calendar], given: object) -> None:
    expected = {field.name for field in fields(kind)}
    if isinstance(given, dict) and set(given) != expected:
        raise ValueError(f"expected exactly {', '.join(sorted(expected))}")


Work = RecomputeHours | DrainTopics | TrainModels


class Request(_Part):
    """What one job is asked.

    Attributes:
        settings: The platform's settings that the work needs, by the names of their variables.
        borrower: Under which name the lease on the lake was lent to the job, as host and folder;
            None for work that writes no table.
        work: What to do.
        code: The digest of the platform's code that asks; a job of other code refuses.
    """

    settings: dict[str, str]
    borrower: tuple[str, str] | None
    work: Annotated[Work, Field(discriminator="kind")]
    code: str

    @classmethod
    def of(cls, settings: Settings, work: Work, borrower: tuple[str, str] | None) -> Self:
        """A request for some work.

        Raises:
            SettingsError: In one line, when the settings let no cluster do this work.
        """
        names = _PASSED_ON
        if isinstance(work, DrainTopics):
            _check_brokers(settings)
            names += _TOLD_OF_KAFKA
        values = {name: getattr(settings, name) for name in names} | {"lake": settings.lake_root}
        passed_on = {f"{PREFIX}{name.upper()}": str(value) for name, value in values.items()}
        return cls(settings=passed_on, borrower=borrower, work=work, code=code_digest())

    @classmethod
    def parsed(cls, extras: Mapping[str, object]) -> Self:
        """A request that has travelled.

        Raises:
            RequestError: In one line, naming what is wrong with it, or that the code here is not
                that of the platform that asks.
        """
        try:
            request = cls.model_validate(extras)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the request"
            raise RequestError(
                f"{place}: {first['msg']}; the job's code and the platform must be of one version"
            ) from None
        if request.code != code_digest():
            raise RequestError(
                "code: the job's code differs from the platform's, so that they could compute "
                "different results; copy it again with make emr-package, from the version that the "
                "platform runs"
            )
        return request

    def extras(self) -> dict[str, object]:
        """As plain values, to travel."""
        return self.model_dump(mode="json")


def _check_brokers(settings: Settings) -> None:
    if not settings.kafka_bootstrap:
        raise SettingsError(
            "USAGE_KAFKA_BOOTSTRAP: set it to brokers that a cluster can reach; it cannot reach "
            "the embedded one"
        )
    if settings.kafka_security is SecurityKind.SCRAM:
        raise SettingsError(
            "USAGE_KAFKA_SECURITY=scram: a job on a cluster gets no password; use iam, or "
            "compute: here"
        )
