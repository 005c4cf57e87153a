"""What runs on this machine: Java, the jars, ports, child processes, the broker and Spark service.

Belongs here: finding and fetching what the services need, starting, watching and stopping them, and
the file that says what runs. Not here: what is sent to Kafka or asked of Spark (adapters), Dagster
(defs), or reading the environment: it comes in as an argument. Heavy libraries are imported inside
the functions that need them.

Everything a user can put right is raised as `errors.LocalError`. A function that takes `say` gives
it one line per event; one that takes `progress` gives it short texts that each replace the former.
"""
