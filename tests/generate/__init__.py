"""Deterministic captures for the benchmarks and the demonstration, made with NumPy."""
