"""Grafana for segwatch: what it is given (``provisioning``, ``dashboards``), and the code that writes it."""
