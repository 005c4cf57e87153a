"""Processes of this machine that share the work of one."""
