"""Rows of a Spark plan merged into a table on the executors; the driver gets days, and no row.

Belongs here: how it is carried out in Spark. Not here: what a merge is (`row_writer.MergeRule`,
which both ways of writing follow), which rows (`executor_batch`).

What a batch does to a table is looked at first, by one join with the rows of its days: days on
which nothing differs are left alone, new rows alone are appended, and only rows that change others
are worth a MERGE, which reads and writes the files of their days.
"""

from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from usage_platform.adapters.lake.commit_dates import date_list, dates_note
from usage_platform.adapters.lake.delta_tables import open_table
from usage_platform.adapters.lake.row_writer import MergeRule, crowded_days, new, old
from usage_platform.adapters.lake.tables import Lake, LakeTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from pyspark.sql import DataFrame, SparkSession

_VIEW = "merged_rows"
_NOTE = "spark.databricks.delta.commitInfo.userMetadata"


def merge_frame(lake: Lake, table: LakeTable, rows: "DataFrame", rule: MergeRule) -> None:
    """Merge rows as `row_writer.merge_rows` does, in one commit, or none where nothing changes.

    Args:
        lake: The lake.
        table: The table; it exists.
        rows: Its columns, a key once. It is read several times: keep it (`DataFrame.persist`).
        rule: How the rows are merged.
    """
    spark, day = rows.sparkSession, _of_spark(f'"{table.partition}"')
    rows.createOrReplaceTempView(_VIEW)
    days = [row["day"] for row in spark.sql(f"SELECT DISTINCT {day} AS day FROM {_VIEW}").collect()]
    if not days:
        return
    same = _of_spark(
        " AND ".join(
            f"{old(name)} = {new(name)}" for name in dict.fromkeys([table.partition, *rule.keys])
        )
    )
    there = f"(SELECT * FROM {lake.sql(table)} WHERE {day} IN ({date_list(days)})) t"
    when = f"coalesce({_of_spark(rule.when)}, false)"
    looked_at = spark.sql(
        f"SELECT s.{day} AS day, count_if(t.{day} IS NULL) AS added, "
        f"count_if(t.{day} IS NOT NULL AND {when}) AS changed "
        f"FROM {_VIEW} s LEFT JOIN {there} ON {same} GROUP BY s.{day}"
    ).collect()
    touched = [row["day"] for row in looked_at if row["added"] or row["changed"]]
    if not touched:
        return
    chosen = f"{day} IN ({date_list(touched)})"
    with _noted(spark, touched):
        if any(row["changed"] for row in looked_at):
            updates = ", ".join(
                f"{_of_spark(old(name))} = {_of_spark(value)}"
                for name, value in rule.updates.items()
            )
            spark.sql(
                f"MERGE INTO {lake.sql(table)} t "
                f"USING (SELECT * FROM {_VIEW} WHERE {chosen}) s ON t.{chosen} AND {same} "
                f"WHEN MATCHED AND {when} THEN UPDATE SET {updates} WHEN NOT MATCHED THEN INSERT *"
            ).collect()
        else:
            # Nobody else writes between the look and the commit.
            added = spark.sql(
                f"SELECT s.* FROM {_VIEW} s LEFT ANTI JOIN {there} ON {same} WHERE s.{chosen}"
            )
            # Sorted, so that readers of a few meters skip most of a file. By the names of columns:
            # a table of a former version has them in another order.
            (
                added.sortWithinPartitions(table.partition, *rule.keys)
                .write.format("delta")
                .mode("append")
                .save(lake.spark_path(lake.table(table)))
            )
    many = crowded_days(open_table(lake, table), table, touched)
    if many:
        spark.sql(f"OPTIMIZE {lake.sql(table)} WHERE {day} IN ({date_list(many)})").collect()


def _of_spark(sql: str) -> str:
    """SQL of DuckDB as that of Spark: names have other quotes, and nothing else is quoted."""
    return sql.replace('"', "`")


@contextmanager
def _noted(spark: "SparkSession", days: "Sequence[date]") -> "Iterator[None]":
    """The commits within say which days they change."""
    [note] = dates_note(days).values()
    spark.conf.set(_NOTE, note)
    try:
        yield
    finally:
        spark.conf.unset(_NOTE)
