"""The contract between the rooms of segwatch, and its command line.

``ingest`` turns packets into segment records, ``processors`` turns segment records into findings, ``sinks``
stores findings. They never import one another: what passes between them is defined here.
"""

__version__ = "0.1.0"
