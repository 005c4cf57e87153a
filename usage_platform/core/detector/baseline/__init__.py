"""The baseline: the blog's method, an Isolation Forest for each slot of the week."""
