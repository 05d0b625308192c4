"""Tests of the marks that application payload leaves on segments."""
