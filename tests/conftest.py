"""What tests of several rooms use: a real Kafka."""

from tests.kafka.brokers import broker, kafka, kafka_installed

__all__ = ["broker", "kafka", "kafka_installed"]
