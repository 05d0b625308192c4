"""Tests of the messages on the bus."""
