"""The lake without a JVM: tables, files, errors, and the lease on writing."""
