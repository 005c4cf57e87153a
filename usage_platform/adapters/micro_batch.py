"""The former place and name of `write_usage_batch`, kept for one version.

A process of the former version may have started a stream whose function Spark's worker imports by
this module and name.
"""

from usage_platform.adapters.spark.usage_batch import write_usage_batch as apply_usage_batch

__all__ = ["apply_usage_batch"]
