"""Tests of what is found out about packets that several sensors saw."""
