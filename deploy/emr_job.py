"""What EMR's spark-submit starts: the platform's job on a cluster.

Belongs here: nothing more. Not here: the job (`usage_platform.cluster.job`).
"""

import sys

from usage_platform.cluster.job import main

if __name__ == "__main__":
    sys.exit(main())
