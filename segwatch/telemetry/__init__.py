"""What a long-running process says of itself over HTTP: Prometheus metrics, and whether it gets on."""
