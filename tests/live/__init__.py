"""Live capture in network namespaces, which the tests make and remove."""
