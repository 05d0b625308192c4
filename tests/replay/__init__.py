"""Replays and dead letters."""
