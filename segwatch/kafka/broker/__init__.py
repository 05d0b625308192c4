"""A local Apache Kafka, for trying and testing: one node in KRaft mode, on the loopback interface alone."""
