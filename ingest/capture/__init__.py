"""Frames out of capture files, by compiled readers, and out of libpcap."""
