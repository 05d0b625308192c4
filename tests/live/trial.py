"""Long trials of live sensors: python -m tests.live.trial fleet|outage|hour.

Each prints what came of it as JSON, and ends with 1 where anything is wrong. They need root.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.live.fleet import fleet_trial
from tests.live.hour import Sample, hour_trial
from tests.live.outage import outage_trial


def _fleet(chosen: argparse.Namespace, folder: Path) -> dict[str, Any]:
    return fleet_trial(folder, chosen.cut)


def _outage(chosen: argparse.Namespace, folder: Path) -> dict[str, Any]:
    return outage_trial(folder, chosen.seconds, chosen.rate, chosen.spool_bytes)


def _hour(chosen: argparse.Namespace, folder: Path) -> dict[str, Any]:
    def show(sample: Sample) -> None:
        sys.stderr.write(f"{json.dumps(sample._asdict())}\n")

    return hour_trial(folder, chosen.minutes * 60, chosen.rate, chosen.every, show)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(required=True)
    fleet = kinds.add_parser("fleet", help="eight sensors, one killed and one cut off from Kafka")
    fleet.add_argument("--cut", type=float, default=120, metavar="SECONDS", help="how long it is cut off (120)")
    fleet.set_defaults(run=_fleet)
    outage = kinds.add_parser("outage", help="Kafka away under small packets")
    outage.add_argument("--seconds", type=float, default=600, help="how long (600)")
    outage.add_argument("--rate", type=int, default=50_000, help="packets a second (50000)")
    outage.add_argument(
        "--spool-bytes", type=int, default=4 << 30, metavar="BYTES", help="what the spool may hold (4 GiB)"
    )
    outage.set_defaults(run=_outage)
    hour = kinds.add_parser("hour", help="memory, descriptors and counters of a sensor under mixed load")
    hour.add_argument("--minutes", type=float, default=60, help="how long (60)")
    hour.add_argument("--rate", type=int, default=5_000, help="small packets a second beside other traffic (5000)")
    hour.add_argument("--every", type=float, default=10, metavar="SECONDS", help="between two samples (10)")
    hour.set_defaults(run=_hour)
    return parser


def main() -> None:
    """Run a trial, and print what came of it."""
    chosen = _parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="segwatch-trial-") as folder:
        try:
            result = chosen.run(chosen, Path(folder))
        except pytest.skip.Exception as missing:
            sys.exit(f"This trial is impossible here: {missing}")
    print(json.dumps(result, indent=2, default=str))  # noqa: T201  # the result is what it is run for
    sys.exit(1 if result["faults"] else 0)


if __name__ == "__main__":
    main()
