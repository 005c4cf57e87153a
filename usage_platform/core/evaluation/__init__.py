"""Evaluation: a backtest on past readings, and detection rates against labels."""
