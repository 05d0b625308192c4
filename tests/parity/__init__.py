"""Parity with tshark: every column of every frame."""
