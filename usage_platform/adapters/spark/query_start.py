"""Starting a streaming query, though its Python worker may be slow.

Belongs here: which failures of a start pass by themselves. Not here: what the query reads and
writes (`services.ingest`).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql.streaming.query import StreamingQuery
    from pyspark.sql.streaming.readwriter import DataStreamWriter

_MOST_STARTS = 3
_WORKER_TOO_SLOW = "Python worker failed to connect back"


def start_query(writer: "DataStreamWriter", **trigger: Any) -> "StreamingQuery":  # noqa: ANN401 - as Spark's `trigger` takes it
    """Start a streaming query; again where its Python worker did not call back in time.

    Spark waits ten seconds for the process that runs `foreachBatch`, a limit that no setting moves
    (`PythonWorkerFactory.createSimpleWorker`), and on a busy machine Python's imports may take
    longer. The query has not begun by then, so that nothing is done twice, and what the first
    worker read of the disk the next one finds in memory.

    Args:
        writer: What is read, and what is done with each batch.
        trigger: As Spark's `DataStreamWriter.trigger` takes it.

    Raises:
        PySparkException: Any other failure, and this one at the last start.
    """
    from pyspark.errors import PySparkException

    for _ in range(_MOST_STARTS - 1):
        try:
            return writer.trigger(**trigger).start()
        except PySparkException as error:
            if _WORKER_TOO_SLOW not in str(error):
                raise
    return writer.trigger(**trigger).start()
