"""What Spark's worker imports for a stream that the former version started."""

import pickle

from usage_platform.adapters.spark.usage_batch import write_usage_batch


def test_the_function_is_found_by_the_name_under_which_the_former_version_pickled_it():
    by_name = b"cusage_platform.adapters.micro_batch\napply_usage_batch\n."
    assert pickle.loads(by_name) is write_usage_batch  # noqa: S301 - our own bytes
