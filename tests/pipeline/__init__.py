"""Tests of the whole way: sensor, Kafka, processor, Kafka, sink, ClickHouse."""
