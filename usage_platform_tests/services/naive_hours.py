"""The usual design, kept as the counter-example: a streaming average, merged over the old row.

A watermark of an hour, windows of an hour, `avg` in update mode, and a foreachBatch that overwrites
by key. It lacks nothing that the usual tutorial has.
"""

from pyspark.sql.functions import avg, col, from_json, window


def drain_naively(spark, root, bootstrap, topic):
    """One availableNow run into the table `root`/hours, with the checkpoint `root`/checkpoint."""
    spark.sql(
        f"CREATE TABLE IF NOT EXISTS delta.`{root}/hours` "
        "(meter STRING, start TIMESTAMP, avg_usage DOUBLE) USING DELTA"
    )
    events = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .load()
        .select(from_json(col("value").cast("string"), "meter STRING, ts TIMESTAMP, value DOUBLE"))
        .toDF("event")
        .select("event.*")
    )
    hours = (
        events.withWatermark("ts", "1 hour")
        .groupBy("meter", window("ts", "1 hour"))
        .agg(avg("value").alias("avg_usage"))
        .select("meter", col("window.start").alias("start"), "avg_usage")
    )

    def overwrite(frame, batch_id):
        frame.createOrReplaceTempView("averages")
        frame.sparkSession.sql(
            f"MERGE INTO delta.`{root}/hours` t USING averages s "
            "ON t.meter = s.meter AND t.start = s.start "
            "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
        ).collect()

    query = (
        hours.writeStream.outputMode("update")
        .foreachBatch(overwrite)
        .option("checkpointLocation", f"{root}/checkpoint")
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    assert query.exception() is None
