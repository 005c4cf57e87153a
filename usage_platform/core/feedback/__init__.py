"""Feedback of people: labels on time ranges, reviews of episodes."""
