"""Tests of the sink without Kafka and without a store."""
