"""Tests of the room that turns packets into segment records."""
