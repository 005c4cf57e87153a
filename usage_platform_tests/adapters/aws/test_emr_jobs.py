"""What EMR is told to start a job."""

import shlex

from usage_platform.adapters.aws.emr_jobs import EmrApplication

APPLICATION = EmrApplication("00a", "arn:role", "s3://bucket/assets/emr", "/usage-platform/emr")
DELTA = "/usr/share/aws/delta/lib"


def conf_of(told) -> dict[str, str]:
    words = shlex.split(told["jobDriver"]["sparkSubmit"]["sparkSubmitParameters"])
    assert set(words[::2]) == {"--conf"}
    return dict(word.split("=", 1) for word in words[1::2])


def test_a_job_runs_the_script_with_the_python_of_its_archive():
    told = APPLICATION.start_parameters("usage-platform hours")
    assert (told["applicationId"], told["executionRoleArn"]) == ("00a", "arn:role")
    assert told["name"] == "usage-platform hours"
    submitted = told["jobDriver"]["sparkSubmit"]
    assert submitted["entryPoint"] == "s3://bucket/assets/emr/emr_job.py"
    conf = conf_of(told)
    archive, _, folder = conf["spark.archives"].partition("#")
    assert archive == "s3://bucket/assets/emr/environment.tar.gz"
    pythons = [value for key, value in conf.items() if key.endswith("PYTHON")]
    assert pythons == [f"./{folder}/bin/python"] * 3


def test_only_work_on_topics_needs_more_jars_than_emr_brings():
    def jars(*more):
        return conf_of(APPLICATION.start_parameters("n", more))["spark.jars"].split(",")

    delta = [f"{DELTA}/delta-spark.jar", f"{DELTA}/delta-storage.jar"]
    assert jars() == delta
    assert jars("kafka.jar") == [*delta, "s3://bucket/assets/emr/jars/kafka.jar"]


def test_a_jobs_log_goes_to_the_group_that_the_platform_reads():
    overrides = APPLICATION.start_parameters("n")["configurationOverrides"]
    logging = overrides["monitoringConfiguration"]["cloudWatchLoggingConfiguration"]
    assert logging == {"enabled": True, "logGroupName": "/usage-platform/emr"}
