"""All meters side by side: their figures of the last days, and the groups that they form."""
