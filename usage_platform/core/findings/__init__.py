"""Findings: what a meter's quarter shows that costs energy, a sentence and a figure each."""
