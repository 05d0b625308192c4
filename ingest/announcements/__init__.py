"""What application payload does to the numbering of streams.

Some of Wireshark's application dissectors prepare conversations, take stream numbers, or begin a conversation anew.
Their effect is a bit of ``Quality`` on one segment; nothing else of the payload is kept.
"""
