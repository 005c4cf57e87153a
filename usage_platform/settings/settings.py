"""The platform's settings: environment variables `USAGE_*`, typed, in one place.

Nothing else in the package reads the environment. `.env.example` documents each variable.
"""

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from usage_platform.adapters.kafka.security import SecurityKind
from usage_platform.adapters.spark.address import without_parameters
from usage_platform.core.alerts.alert import Severity
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.limits import MOST_EVENT_BYTES, MOST_METERS, OLDEST_DAY, EventLimits
from usage_platform.core.measurement import Sign
from usage_platform.core.meters import (
    DEFAULT_INTERVAL_MINUTES,
    DEFAULT_METER_NAME,
    DEFAULT_TIMEZONE,
    Meter,
)
from usage_platform.core.readings.reject_reasons import KEPT_BYTES
from usage_platform.core.time.calendar import Calendar
from usage_platform.settings import alert_types as alert_settings
from usage_platform.settings import value_types as types
from usage_platform.settings.alert_types import check_certificate, check_mail
from usage_platform.settings.broker_security import check_broker_security
from usage_platform.settings.event_limits import check_limits, chosen_limits
from usage_platform.settings.mistakes import one_line
from usage_platform.settings.source_label import source_label

PREFIX = "USAGE_"
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2100, 12, 31)  # pandas timestamps end in 2262.


_FILES = ("closed_days", "kafka_ca", "alert_mqtt_certificate", "collect_mqtt_certificate")


class SettingsError(ValueError):
    """An invalid setting; one line that names the variable."""


class Settings(BaseModel):
    """The settings of a platform; each field is the variable `USAGE_<FIELD>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: types.Folder = Path(".usage")
    jars: types.Folder = Path(".usage/jars")
    allow_root: bool = False
    lake: types.Lake = ""
    kafka_bootstrap: types.Brokers = ""
    kafka_partitions: int = Field(1, ge=1, le=1000)
    kafka_replication: int = Field(1, ge=1, le=9)
    kafka_security: SecurityKind = SecurityKind.NONE
    kafka_user: str = ""
    kafka_password: SecretStr = SecretStr("")
    kafka_ca: types.Certificates | None = None
    # Its parameters may hold a token.
    spark_remote: types.SparkRemote = Field("", repr=False)
    spark_workers: int = Field(0, ge=0, le=64)
    kafka_port: types.Port = 9092
    spark_port: types.Port = 15002
    ui_port: types.Port = 3000
    ui_host: types.HostName = ""
    ui_read_only: bool = False
    page_port: types.Port = 8050
    page_host: types.HostName = ""
    tariff: float | None = Field(None, ge=0, allow_inf_nan=False)
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$")

    source: types.Source = "generated"
    meter: types.MeterName = DEFAULT_METER_NAME
    timezone: types.Timezone = DEFAULT_TIMEZONE
    interval_minutes: types.IntervalMinutes = DEFAULT_INTERVAL_MINUTES
    oldest_time: date = Field(OLDEST_DAY, ge=_FIRST_DAY, le=_LAST_DAY)
    max_event_bytes: int = Field(MOST_EVENT_BYTES, ge=KEPT_BYTES, le=100_000)
    max_meters: int = Field(MOST_METERS, ge=1, le=100_000)
    meters_allowed: types.MeterNames = ""
    csv_time_column: str = ""
    csv_end_column: str = ""
    csv_value_column: str = ""
    csv_meter_column: str = ""
    csv_quantity: types.OptionalQuantity = ""
    csv_unit: types.OptionalUnit = ""
    csv_stamp: types.OptionalStamp = ""
    csv_sign: Sign = Sign.CONSUMPTION
    csv_delimiter: types.Delimiter = ""
    csv_decimal: types.Decimal = ""
    csv_time_format: types.TimeFormat = ""
    csv_skip_lines: int | None = Field(None, ge=0)
    csv_allow_bad_rows: bool = False
    csv_sheet: str = ""
    ckan_url: str = "https://data.boston.gov"
    ckan_dataset: str = "central-library-electricity-usage"
    generated_start: date = Field(date(2024, 1, 1), ge=_FIRST_DAY, le=_LAST_DAY)
    generated_days: int = Field(84, ge=1, le=36_600)
    generated_meters: int = Field(1, ge=1, le=100_000)
    generated_seed: int = Field(1, ge=0)

    start_date: date | None = Field(None, ge=_FIRST_DAY, le=_LAST_DAY)
    accelerator: types.Accelerator = 1.0
    max_iterations: int | None = Field(None, ge=1)
    history_days: int = Field(28, ge=0)

    method: Method = Method.FOREST
    false_alarms_per_week: float = Field(0.5, gt=0, lt=7)
    least_share: float = Field(0.05, ge=0, lt=1)
    silent_minutes: int = Field(15, ge=1)
    scorers: int | None = Field(None, ge=1, le=64)
    holidays: types.Holidays = "US-MA"
    closed_days: Path | None = None
    retrain_cron: types.Cron = "0 3 * * 1"

    athena_workgroup: str = ""
    athena_database: str = ""

    emr_application_id: types.EmrApplication = ""
    emr_role_arn: types.RoleArn = ""
    emr_code: types.CodeFolder = ""
    emr_log_group: types.LogGroup = "/aws/emr-serverless"

    vacuum_hours: int = Field(168, ge=1)
    history_keep_days: int = Field(30, ge=1)

    alert_min_severity: Severity = Severity.MEDIUM
    alert_webhook_url: alert_settings.WebAddress = alert_settings.NONE
    alert_webhook_secret: alert_settings.SigningSecret = alert_settings.NONE
    alert_slack_url: alert_settings.WebAddress = alert_settings.NONE
    alert_addresses: alert_settings.NamedAddresses = alert_settings.NONE
    alert_email_to: alert_settings.MailAddresses = ""
    alert_email_from: alert_settings.MailAddresses = ""
    alert_smtp_url: alert_settings.MailServer = alert_settings.NONE
    alert_sns_topic: alert_settings.TopicArn = ""
    alert_mqtt_url: alert_settings.MqttBroker = alert_settings.NONE
    alert_mqtt_topic: alert_settings.MqttTopic = "usage/alerts"
    alert_mqtt_certificate: alert_settings.ClientCertificate | None = None
    collect_mqtt_url: alert_settings.MqttBroker = alert_settings.NONE
    collect_mqtt_topic: types.MqttFilter = ""
    collect_mqtt_certificate: alert_settings.ClientCertificate | None = None

    @model_validator(mode="after")
    def _secured_brokers_have_credentials(self) -> Self:
        credentials = (self.kafka_user, self.kafka_password.get_secret_value())
        check_broker_security(self.kafka_security, self.kafka_bootstrap, credentials)
        return self

    @model_validator(mode="after")
    def _limits_accept_the_source(self) -> Self:
        generated = self.generated_meters if self.source == "generated" else None
        check_limits(self.event_limits, self.meter, generated, self.generated_start)
        return self

    @model_validator(mode="after")
    def _athena_has_a_database(self) -> Self:
        if bool(self.athena_workgroup) != bool(self.athena_database):
            raise ValueError("USAGE_ATHENA_WORKGROUP and USAGE_ATHENA_DATABASE: set both or none")
        return self

    @model_validator(mode="after")
    def _emr_has_a_role_and_a_lake(self) -> Self:
        if bool(self.emr_application_id) != bool(self.emr_role_arn):
            raise ValueError("USAGE_EMR_APPLICATION_ID and USAGE_EMR_ROLE_ARN: set both or none")
        if self.emr_application_id and "://" not in self.lake:
            raise ValueError(
                "USAGE_EMR_APPLICATION_ID is set: set USAGE_LAKE to s3://bucket/prefix too, as EMR "
                "cannot reach a folder of this machine"
            )
        return self

    @model_validator(mode="after")
    def _servers_have_what_they_need(self) -> Self:
        check_mail(self.alert_email_to, self.alert_smtp_url)
        check_certificate("ALERT_MQTT", self.alert_mqtt_url, self.alert_mqtt_certificate)
        check_certificate("COLLECT_MQTT", self.collect_mqtt_url, self.collect_mqtt_certificate)
        if bool(self.collect_mqtt_url.get_secret_value()) != bool(self.collect_mqtt_topic):
            raise ValueError(f"{PREFIX}COLLECT_MQTT_URL and _TOPIC: set both or none")
        return self

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, **overrides: object) -> Self:
        """Read the settings.

        Args:
            env: The environment; that of the process by default. Empty variables count as not set.
            overrides: Fields that override the environment.

        Raises:
            SettingsError: In one line, naming the variable.
        """
        source = os.environ if env is None else env
        given: dict[str, object] = {
            key.removeprefix(PREFIX).lower(): value
            for key, value in source.items()
            if key.startswith(PREFIX) and value != ""
        }
        try:
            return cls.model_validate({**given, **overrides})
        except ValidationError as error:
            raise SettingsError(one_line(error, PREFIX, cls.model_fields)) from None

    @property
    def data_dir(self) -> Path:
        """The data folder, absolute."""
        return self.data.absolute()

    @property
    def jars_dir(self) -> Path:
        """The folder of the jars of Kafka and Spark, absolute; all data folders share it."""
        return self.jars.absolute()

    @property
    def source_label(self) -> str:
        """The chosen source and the settings that change its readings."""
        return source_label(self)

    @property
    def lake_root(self) -> str:
        """The root of the lake: an absolute folder, or `s3://bucket/prefix`."""
        if "://" in self.lake:
            return self.lake.rstrip("/")
        return str(Path(self.lake).absolute()) if self.lake else str(self.data_dir / "lake")

    @property
    def uses_aws(self) -> bool:
        """Whether the lake is on S3, or the brokers require an AWS identity."""
        return "://" in self.lake or self.kafka_security is SecurityKind.IAM

    @property
    def starts_java(self) -> bool:
        """Whether the platform starts its own broker or Spark, which need Java."""
        return not (self.kafka_bootstrap and self.spark_remote)

    @property
    def default_meter(self) -> Meter:
        """The meter of events that name none; unknown meters get its zone and interval."""
        return Meter(self.meter, self.timezone, self.interval_minutes)

    @property
    def event_limits(self) -> EventLimits:
        """What is accepted of events."""
        chosen = (self.oldest_time, self.max_event_bytes, self.max_meters, self.meters_allowed)
        return chosen_limits(*chosen)

    def training_options(self, calendar: Calendar) -> TrainingOptions:
        """How models are trained.

        Args:
            calendar: The rest days of the building (`closing_days.chosen_calendar`).
        """
        return TrainingOptions(
            calendar=calendar,
            method=self.method,
            false_alarms_per_week=self.false_alarms_per_week,
            minimum_relative_deviation=self.least_share,
        )

    def environment(self, with_secrets: bool = False) -> dict[str, str]:
        """The settings as environment variables, for a child process in any folder.

        Args:
            with_secrets: Whether to include secrets, which may go to a process and into no file.
        """
        values = self.model_dump() | {"data": self.data_dir, "jars": self.jars_dir}
        if self.lake:
            values["lake"] = self.lake_root
        for name in _FILES:
            if values[name]:
                values[name] = values[name].absolute()
        if not with_secrets:
            values["spark_remote"] = without_parameters(self.spark_remote)
        for key, value in values.items():
            if isinstance(value, SecretStr):
                values[key] = value.get_secret_value() if with_secrets else ""
        values = {key: value for key, value in values.items() if value not in (None, "")}
        return {f"{PREFIX}{key.upper()}": str(value) for key, value in values.items()}
