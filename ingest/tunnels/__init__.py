"""Decoding of everything that the compiled decoder declines: tunnels, rare link types, fragments, quoted headers.

What counts as TCP is what Wireshark 4.0 dissects as TCP with its default preferences. ``decoder.TunnelDecoder`` walks
from the link layer inwards; ``layers.LAYERS`` says which function reads which protocol.
"""
