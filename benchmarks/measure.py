"""Measures wall time, processor time and peak memory of the processes of a command, by stage.

Figures are read from /proc while the command runs (Linux only). Memory is the sum of the proportional set sizes (Pss):
a page shared by n processes counts 1/n for each of them.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from schemas import manifest_file
from schemas.manifests import StageResult

SAMPLE_S = 0.1
MEMORY_EVERY = 5
"""Memory is read in every fifth sample, because it takes the kernel about 5 ms per process."""

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Sample:
    """At `time` (Unix time in s): memory of all processes in bytes, and processor time so far in s."""

    time: float
    memory: int
    processor: float


@dataclass(frozen=True)
class Share:
    """The figures of a stage. `wall_s` of the first stage includes the start of the command and its imports."""

    wall_s: float
    processor_s: float
    peak_gb: float


def trees(roots: Iterable[int]) -> dict[int, float]:
    """Process id → processor seconds including those of reaped children, for `roots` and their descendants."""
    parents, processor = {}, {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = Path(f"/proc/{entry}/stat").read_text("utf-8").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        number = int(entry)
        parents[number] = int(fields[1])
        processor[number] = sum(map(int, fields[11:15])) / TICKS
    inside = set(roots)
    while True:
        grown = {number for number, parent in parents.items() if parent in inside} - inside
        if not grown:
            break
        inside |= grown
    return {number: processor[number] for number in inside if number in processor}


def memory(process: int) -> int:
    """The proportional set size of a process in bytes; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text("utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def run(command: Sequence[str], log: Path, others: Sequence[int] = ()) -> list[Sample]:
    """Runs `command`, writes its output to `log`, and returns samples of its processes and of the processes `others`
    with their descendants. Exits with one line if the command fails, or if one of `others` does not exist.
    """
    before = trees(others)
    if ended := [number for number in others if number not in before]:
        sys.exit(f"no process {ended[0]}")
    samples = [Sample(time.time(), 0, 0.0)]
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
        used = 0.0
        while process.poll() is None:
            processes = trees((process.pid, *others))
            used = max(used, sum(processes.values()) - sum(before.values()))
            reads_memory = len(samples) % MEMORY_EVERY == 0
            samples.append(
                Sample(time.time(), sum(map(memory, processes)) if reads_memory else samples[-1].memory, used)
            )
            time.sleep(SAMPLE_S)
    if process.returncode:
        sys.exit(
            f"{' '.join(command)} ended with {process.returncode}: {log.read_text('utf-8').strip().splitlines()[-1]}"
        )
    return samples


def by_stage(samples: Sequence[Sample], output: Path, forms: Iterable[type[StageResult]]) -> dict[str, Share]:
    """Stage → its figures, delimited by the modification times of the manifests below `output`.

    `forms`: of the results of the stages, in the order in which they run.
    """
    shares, start = {}, samples[0].time
    for form in forms:
        manifest = Path(manifest_file.path(str(output), form))
        if manifest.exists():
            end = manifest.stat().st_mtime
            shares[form.stage] = share(samples, start, end)
            start = end
    return shares


def first_shard(samples: Sequence[Sample], output: Path) -> float:
    """Seconds from the start of the command to its first shard of examples."""
    return min(path.stat().st_mtime for path in (output / "examples").rglob("*.parquet")) - samples[0].time


def share(samples: Sequence[Sample], start: float, end: float) -> Share:
    inside = [sample for sample in samples if start <= sample.time <= end]
    before = [sample.processor for sample in samples if sample.time < start]
    until = [sample.processor for sample in samples if sample.time <= end]
    return Share(
        round(end - start, 2),
        round(max(until, default=0.0) - max(before, default=0.0), 2),
        round(max((sample.memory for sample in inside), default=0) / 1e9, 3),
    )


def shares_as_json(shares: dict[str, Share]) -> dict[str, dict]:
    return {stage: asdict(share) for stage, share in shares.items()}
