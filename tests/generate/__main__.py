"""``python -m tests.generate bulk|flows|demo OUT``: write a capture."""

import argparse
import sys
from pathlib import Path

from tests.generate import traffic, wire

SNAPLEN = 128


def write_traffic(kind: str, path: Path, packets: int, flows: int, seed: int) -> int:
    """Write a capture of one kind of traffic and return how many packets it holds."""
    parts = traffic.bulk(seed, packets, flows) if kind == "bulk" else traffic.flows(seed, flows)
    written = 0
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("wb") as file:
        file.write(wire.file_header(SNAPLEN))
        for part, conversations in parts:
            wire.write_packets(file, part, conversations, SNAPLEN)
            written += len(part)
    unfinished.replace(path)
    return written


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.generate", description="Write a deterministic capture.")
    parser.add_argument("kind", choices=["bulk", "flows", "demo"])
    parser.add_argument("out", type=Path, help="file to write (demo: gzip-compressed)")
    parser.add_argument("--packets", type=int, default=2_000_000, help="about how many packets (bulk)")
    parser.add_argument("--flows", type=int, help="conversations (default: 400 for bulk, 200000 for flows)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.kind == "demo":
        from tests.generate.demo import demo_capture, write_demo

        write_demo(arguments.out, demo_capture())
        return
    flows = arguments.flows or (400 if arguments.kind == "bulk" else 200_000)
    written = write_traffic(arguments.kind, arguments.out, arguments.packets, flows, arguments.seed)
    sys.stdout.write(f"{arguments.out}: {written} packets\n")


if __name__ == "__main__":
    main()
