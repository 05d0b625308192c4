"""Segment records in, findings out: the analysis. No Kafka, no database, no clock in here (but for the Faust app)."""
