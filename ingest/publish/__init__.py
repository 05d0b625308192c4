"""Segment records to the bus: batches per partition, and the producer that sends them."""
