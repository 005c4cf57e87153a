"""The list of what `make bench` measures, in its order. A new row is added here."""

from functools import partial

from usage_platform.core.detector.options import Method
from usage_platform_tests.tools.bench.disk import disk
from usage_platform_tests.tools.bench.figures import Row
from usage_platform_tests.tools.bench.ingestion import backlog, batch
from usage_platform_tests.tools.bench.publishing import csv, played
from usage_platform_tests.tools.bench.scorer_memory import scorer_memory
from usage_platform_tests.tools.bench.scorers import scorers
from usage_platform_tests.tools.bench.scoring import scored, tick
from usage_platform_tests.tools.bench.spark_workers import spark_workers
from usage_platform_tests.tools.bench.training import training

_YEAR, _HUNDRED_DAYS = 366, 100

ROWS = (
    Row("csv", "reading a CSV file", csv),
    Row("played", "playing onto the topic and consuming from it", played),
    Row("backlog-year", "a meter's year into the lake", partial(backlog, meters=1, days=_YEAR)),
    Row(
        "backlog-100-days",
        "100 days of a meter into the lake",
        partial(backlog, meters=1, days=_HUNDRED_DAYS),
    ),
    Row(
        "backlog-1000-meters",
        "a day of 1,000 meters into the lake",
        partial(backlog, meters=1_000, days=1),
    ),
    Row("spark-workers", "a day of 1,000 meters on Spark's workers", spark_workers),
    Row("batch-1", "a batch of one meter", partial(batch, meters=1)),
    Row("batch-1000", "a batch of 1,000 meters", partial(batch, meters=1_000)),
    Row("batch-10000", "a batch of 10,000 meters", partial(batch, meters=10_000)),
    Row("scored-blog", "a year scored, method blog", partial(scored, method=Method.BLOG)),
    Row("scored-forest", "a year scored, method forest", partial(scored, method=Method.FOREST)),
    Row("scorers", "8 meters scored by one scorer and by two", scorers),
    Row("tick", "one reading of each of 10,000 meters scored", tick),
    Row("training", "models of 64 meters", training),
    Row("scorer-memory", "a scorer's state and restart", scorer_memory),
    Row("disk", "bytes on the topic and in the lake", disk),
)
