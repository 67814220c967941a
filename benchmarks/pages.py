"""python -m benchmarks.pages PAGE...: size, loading time and faults of HTML pages in headless Chromium."""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from schemas import command
from schemas.errors import ConfigError
from tests.chromium import CHROMIUM, Page, chromium_page

LOADS = 3
LOOKS = ((1400, False, "en"), (1400, True, "zh"), (390, False, "zh"), (390, True, "en"))
"""Width in CSS pixels, whether dark, language."""

OPENED = "document.querySelectorAll('details').forEach((node, n) => { node.open = n < 50; })"
FAULTS = """axe.run(document, {resultTypes: ["violations"]}).then((found) => found.violations.map(
  (rule) => `${rule.id} (${rule.impact}), ${rule.nodes.length} x: ${rule.nodes[0].html.slice(0, 120)}`))"""


def load_seconds(page: Page, path: Path) -> float:
    """The median time until the page has loaded and its scripts have run."""
    seconds = []
    for _ in range(LOADS):
        page.send("Page.navigate", url="about:blank")
        start = time.perf_counter()
        page.open(path)
        page.run("1")
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def faults(page: Page, path: Path, axe: str) -> list[str]:
    """The rules of axe-core that the page breaks in any of LOOKS, and what it logged or requested."""
    lines = []
    for width, is_dark, lang in LOOKS:
        page.look(width, 1000, is_dark)
        page.open(path, f"?lang={lang}")
        page.run(OPENED)
        if axe:
            page.run(axe)
            lines += [f"{width} px, {'dark' if is_dark else 'light'}, {lang}: {line}" for line in page.run(FAULTS)]
    requests = [url for url in page.requests if not url.startswith(("file:", "about:"))]
    return [*lines, *map(json.dumps, page.problems), *requests]


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("benchmarks.pages", __doc__)
    parser.add_argument("pages", nargs="+", metavar="PAGE", help="an HTML file")
    parser.add_argument("--axe", metavar="FILE", help="axe.min.js of the npm package axe-core: also check its rules")
    return parser


def measure(arguments: argparse.Namespace) -> int:
    if CHROMIUM is None:
        raise ConfigError("no chromium on the PATH; install it")
    axe = Path(arguments.axe).read_text("utf-8") if arguments.axe else ""
    count = 0
    with tempfile.TemporaryDirectory() as profile, chromium_page(Path(profile)) as page:
        for name in arguments.pages:
            path = Path(name)
            print(f"{name}: {path.stat().st_size / 1e6:.2f} MB, loaded in {load_seconds(page, path):.2f} s", flush=True)
            lines = faults(page, path, axe)
            print("".join(f"  {line}\n" for line in lines), end="", flush=True)
            count += len(lines)
    return 1 if count else 0


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, measure, flags)


if __name__ == "__main__":
    sys.exit(main())
