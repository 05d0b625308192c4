"""The parts of a benchmark run; each returns rows of figures, with the bar that they should reach."""

import shutil
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from tests.bench.captures import Capture, Captures
from tests.bench.history import history
from tests.bench.measure import Job, Run, measured, run_once
from tests.bench.pipeline import pipeline
from tests.bench.programs import SEGWATCH, Program, found_peers, version_of
from tests.bench.tables import EIGHTFOLD, FULL, MILLION, Row, Table

SIXTEENTH, HALF = (1, 16), (1, 2)
ANALYZE = "segwatch analyze --store none"
OUTPUT_BARS = {"tsv": 1.0, "jsonl": None, "parquet": 1.5, "arrow": 4.0}
"""Million rows a second."""
TSTAT_BAR, TSHARK_BAR = 2, 150
BYTES_A_FLOW = 600
GROWTH_SHARE = 0.15
GROWTH_SIZES, COPIES = ((1, 8), (1, 2), (2, 1), (8, 1)), (64, 16, 4, 1)
"""A quarter of a million packets, 1, 4 and 16 million; how often each is analysed in one command."""
LONG_FLOW = (2 * MILLION, 20 * MILLION)
LONG_FLOW_SHARE = 0.10
STORE_FACTOR, STORE_SECONDS = 1.5, 1.0
VERSION_SECONDS, SMALL_SECONDS = 0.25, 1.0


def analyze(capture: Capture) -> Job:
    """Return the job that is compared: labels, intervals and the summary."""
    return Job(lambda _: [SEGWATCH, "analyze", "--store", "none", str(capture.path)])


def _rate(small: tuple[Capture, Run], large: tuple[Capture, Run]) -> float:
    """Return packets a second, from the difference between two captures."""
    return (large[0].packets - small[0].packets) / max(large[1].seconds - small[1].seconds, 1e-9)


def speed(captures: Captures, rounds: int, peers: Sequence[str]) -> list[Table]:
    """Compare packets a second of segwatch and its peers."""
    return [_speed_of(kind, captures, rounds, peers) for kind in ("bulk", "flows")]


def _peer(program: Program, path: str, capture: Capture) -> Job:
    return Job(lambda folder: program.command(path, capture.path, folder))


def _speed_of(kind: str, captures: Captures, rounds: int, peers: Sequence[str]) -> Table:
    full = [captures.sized(kind, *size) for size in (FULL, EIGHTFOLD)]
    less = [captures.sized(kind, *size) for size in (SIXTEENTH, HALF)]
    jobs = {(ANALYZE, place): analyze(full[place]) for place in (0, 1)}
    found = found_peers(peers)
    sizes = {ANALYZE: full}
    for program, path in found:
        sizes[program.name] = less if program.slow else full
        for place, capture in enumerate(sizes[program.name]):
            jobs[program.name, place] = _peer(program, path, capture)
    runs = measured({f"{name}\t{place}": job for (name, place), job in jobs.items()}, rounds)
    rates = {name: _rate(*((pair[p], runs[f"{name}\t{p}"]) for p in (0, 1))) for name, pair in sizes.items()}
    rows = [Row((ANALYZE, "every label and number, summary", *_figures(rates[ANALYZE], 1.0, runs[f"{ANALYZE}\t0"])))]
    for program, path in found:
        ratio = rates[ANALYZE] / rates[program.name]
        bar = {"tshark": TSHARK_BAR, "tstat": TSTAT_BAR}.get(program.name.split(",")[0])
        rows.append(
            Row(
                (
                    f"{program.name} ({version_of(program, path)}{', smaller pair' if program.slow else ''})",
                    program.gives,
                    *_figures(rates[program.name], ratio, runs[f"{program.name}\t0"]),
                ),
                f"at least {bar} times" if bar else "",
                ratio >= bar if bar else None,
            )
        )
    pairs = [f"{small.packets:,} and {large.packets:,} packets" for small, large in (full, less)]
    note = (
        f"Packets a second are the difference in packets by the difference in time between captures of {pairs[0]}; "
        f"for programs marked as a smaller pair, of {pairs[1]}. Memory is that of the smaller capture of the pair."
    )
    head = ("program", "gives", "packets/s", "segwatch is ... times as fast", "peak memory, MiB")
    return Table(f"Speed, {kind} ({full[0].flows:,} conversations in the smaller capture)", head, rows, note)


def _figures(rate: float, ratio: float, run: Run) -> tuple[str, str, str]:
    return f"{rate:,.0f}", f"{ratio:,.1f}", f"{run.peak_bytes / 2**20:,.0f}"


def output(captures: Captures, rounds: int, _: Sequence[str]) -> list[Table]:
    """Measure rows a second of ``segwatch labels`` into files."""
    small, large = (captures.sized("bulk", *size) for size in (FULL, EIGHTFOLD))

    def job(capture: Capture, form: str) -> Job:
        return Job(lambda folder: [SEGWATCH, "labels", str(capture.path), "-f", form, "-o", str(folder / "out")])

    jobs = {f"{form} {place}": job(c, form) for form in OUTPUT_BARS for place, c in enumerate((small, large))}
    runs = measured(jobs, rounds)
    rows = []
    for form, bar in OUTPUT_BARS.items():
        first, second = runs[f"{form} 0"], runs[f"{form} 1"]
        rate = _rate((small, first), (large, second)) / MILLION
        whole = large.packets / second.seconds / MILLION
        cells = (form, f"{rate:.2f}", f"{whole:.2f}", f"{second.peak_bytes / 2**20:,.0f}")
        rows.append(Row(cells, f"at least {bar}" if bar else "", rate >= bar if bar else None))
    note = (
        f"Captures of {small.packets:,} and {large.packets:,} packets. The bar is compared with the difference, as "
        "for speed: so start-up stands apart; the whole process is that of the larger capture."
    )
    head = ("format", "million rows/s (difference)", "million rows/s (whole process)", "peak memory, MiB")
    return [Table("segwatch labels into a file, bulk", head, rows, note)]


def _with_local_store(capture: Capture) -> Job:
    """Return the job of an analysis into a ClickHouse that is started on an empty folder."""

    def environment(folder: Path) -> dict[str, str]:
        return {"SEGWATCH_DATA_DIR": str(folder / "data")}

    def stop(folder: Path) -> None:
        run_once([SEGWATCH, "db", "stop"], environment(folder))

    return Job(lambda _: [SEGWATCH, "analyze", str(capture.path)], environment, stop)


def store(captures: Captures, rounds: int, _: Sequence[str]) -> list[Table]:
    """Compare analyses with and without the local ClickHouse."""
    rows = []
    for kind in ("bulk", "flows"):
        capture = captures.sized(kind, *FULL)
        runs = measured({"none": analyze(capture), "local": _with_local_store(capture)}, rounds)
        none, local = runs["none"].seconds, runs["local"].seconds
        bar = STORE_FACTOR * none + STORE_SECONDS
        judged = kind == "bulk"
        cells = (kind, f"{capture.packets:,}", f"{none:.2f}", f"{local:.2f}", f"{local / none:.2f}")
        rows.append(Row(cells, f"at most {bar:.2f} s" if judged else "", local <= bar if judged else None))
    note = (
        "Each run starts a local ClickHouse on an empty folder, so its start is in the time. "
        "The bar is 1.5 times the time without a store plus one second."
    )
    head = ("capture", "packets", "--store none, s", "local ClickHouse, s", "ratio")
    return [Table("segwatch analyze with its store", head, rows, note)]


def memory(captures: Captures, rounds: int, _: Sequence[str]) -> list[Table]:
    """Measure memory per conversation, and of one long conversation.

    A conversation costs what many take more than a single one of as many packets: both fill the same buffers.
    """
    flows, tiny = captures.sized("flows", *FULL), captures.tiny()
    short, long = (captures.long_flow(packets) for packets in LONG_FLOW)
    named = {"flows": flows, "tiny": tiny, "short": short, "long": long}
    runs = measured({name: analyze(capture) for name, capture in named.items()}, min(rounds, 3))
    each = (runs["flows"].peak_bytes - runs["short"].peak_bytes) / flows.flows
    growth = runs["long"].peak_bytes / runs["short"].peak_bytes - 1
    rows = [
        Row(
            (f"bytes a conversation ({flows.flows:,} of them, less the peak of a single one)", f"{each:,.0f}"),
            f"at most {BYTES_A_FLOW}",
            each <= BYTES_A_FLOW,
        ),
        Row(
            (
                f"one conversation, {long.packets:,} packets against {short.packets:,}: peak, MiB",
                f"{runs['long'].peak_bytes / 2**20:,.0f} against {runs['short'].peak_bytes / 2**20:,.0f}",
            ),
            "constant (within 10 %)",
            growth <= LONG_FLOW_SHARE,
        ),
        Row(("peak of a tiny capture, MiB", f"{runs['tiny'].peak_bytes / 2**20:,.0f}")),
    ]
    return [Table("Memory of segwatch analyze --store none", ("what", "figure"), rows)]


def growth(captures: Captures, rounds: int, _: Sequence[str]) -> list[Table]:
    """Measure packets a second at three sizes, each from the difference to the size before it."""
    rows = []
    tiny = captures.tiny()
    for kind in ("bulk", "flows"):
        sizes = [captures.sized(kind, *size) for size in GROWTH_SIZES]
        jobs = {"tiny": analyze(tiny)}
        jobs |= {str(place): _copies(capture, COPIES[place]) for place, capture in enumerate(sizes)}
        runs = measured(jobs, rounds)
        seconds = [(runs[str(place)].seconds - runs["tiny"].seconds) / COPIES[place] for place in range(len(sizes))]
        steps = list(pairwise(zip(sizes, seconds, strict=True)))
        rates = [(large.packets - small.packets) / max(then - first, 1e-9) for (small, first), (large, then) in steps]
        spread = max(rates) / min(rates) - 1
        for (_, (capture, _)), rate in zip(steps, rates, strict=True):
            last = capture is sizes[-1]
            cells = (
                kind,
                f"{capture.packets:,}",
                f"{capture.flows:,}",
                f"{rate:,.0f}",
                f"{spread:.0%}" if last else "",
            )
            rows.append(Row(cells, "within 15 %" if last else "", spread <= GROWTH_SHARE if last else None))
    note = (
        "Packets a second from the difference to a capture of a quarter of the size, as for speed. Smaller ones are "
        "given several times in one command, so that each command analyses about as many packets. "
        "The spread is of the fastest over the slowest."
    )
    return [Table("Cost growth", ("capture", "packets", "conversations", "packets/s", "spread"), rows, note)]


def _copies(capture: Capture, count: int) -> Job:
    """Return the job that analyses a capture so many times, as so many files: one that is named twice is read once."""

    def command(_: Path) -> list[str]:
        copies = [capture.path.with_suffix(f".{number}.pcap") for number in range(count)]
        for copy in copies:
            copy.unlink(missing_ok=True)
            copy.hardlink_to(capture.path)
        return [SEGWATCH, "analyze", "--store", "none", *map(str, copies)]

    return Job(command)


def start(captures: Captures, rounds: int, _: Sequence[str]) -> list[Table]:
    """Measure how long a user waits for little things."""
    tiny = captures.tiny()
    jobs = {
        "segwatch --version": (Job(lambda _: [SEGWATCH, "--version"]), VERSION_SECONDS),
        f"segwatch labels, {tiny.packets} packets": (
            Job(lambda _: [SEGWATCH, "labels", str(tiny.path)]),
            SMALL_SECONDS,
        ),
        f"segwatch analyze --store none, {tiny.packets} packets": (analyze(tiny), None),
    }
    run_once([SEGWATCH, "warmup"])
    runs = measured({name: job for name, (job, _) in jobs.items()}, max(rounds, 5))
    rows = [
        Row(
            (name, f"{runs[name].seconds:.2f}"),
            f"at most {bar} s" if bar else "",
            runs[name].seconds <= bar if bar else None,
        )
        for name, (_, bar) in jobs.items()
    ]
    return [Table("Start", ("command", "seconds"), rows, "After `segwatch warmup`.")]


PARTS: dict[str, Callable[[Captures, int, Sequence[str]], list[Table]]] = {
    "speed": speed,
    "output": output,
    "store": store,
    "memory": memory,
    "growth": growth,
    "start": start,
    "pipeline": pipeline,
    "history": history,
}
"""Parts by name, in the order of the report."""


def room_is_there(folder: Path, packets: int, flows: int) -> bool:
    """Whether the captures fit: about 125 bytes a packet, 15 packets a flow, and twelve times the full size."""
    needed = 125 * (12 * packets + 12 * 15 * flows + 24 * MILLION)
    folder.mkdir(parents=True, exist_ok=True)
    present = sum(path.stat().st_size for path in folder.glob("*.pcap"))
    return shutil.disk_usage(folder).free + present > needed
