"""The former place of `apply_usage_batch`, kept for one version.

Spark's worker imports the function by name: a stream that an older client started asks for it here.
"""

from usage_platform.adapters.spark.usage_batch import apply_usage_batch

__all__ = ["apply_usage_batch"]
