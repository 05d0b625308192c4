"""Tests of the stories that are told of conversations."""
