"""From Kafka into the tables: every row exactly once, whatever dies in between.

A batch is a range of messages of one partition of a topic. Its end is committed as an intent before it is inserted,
so that whoever comes after a crash forms the same batch again and inserts it under the same token, which changes
nothing where it was inserted before.
"""
