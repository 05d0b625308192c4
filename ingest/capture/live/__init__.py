"""Live capture through libpcap, which maps the kernel's ring of packets (TPACKET_V3) into memory."""
