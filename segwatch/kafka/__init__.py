"""The bus between sensors, processors and sinks: topics, connections, administration, a local broker."""
