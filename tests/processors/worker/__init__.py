"""Tests of the Faust worker, without Kafka."""
