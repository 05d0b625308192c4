"""Tests of what lasting processes share."""
