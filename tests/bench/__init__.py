"""Benchmarks: segwatch and other programs over the same captures, in one run, on this machine."""
