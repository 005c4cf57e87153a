"""Random messages against every reader of the topics: nothing stops one, and nothing is lost."""
