"""Tests of the supervisor of child processes."""
