"""The report in headless Chromium. Without Chromium its tests are skipped, unless $IEFORGE_NEEDS_CHROMIUM is 1."""

import os
from collections.abc import Iterator

import pytest

from pipelines.build_reports import read_statistics
from pipelines.report.payload import payload
from tests.chromium import CHROMIUM, Page, chromium_page


@pytest.fixture(scope="package")
def browser(tmp_path_factory) -> Iterator[Page]:
    if CHROMIUM is None and os.environ.get("IEFORGE_NEEDS_CHROMIUM") != "1":
        pytest.skip("no chromium on the PATH")
    assert CHROMIUM, "IEFORGE_NEEDS_CHROMIUM is set, but there is no chromium on the PATH"
    with chromium_page(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browser) -> Page:
    browser.problems.clear()
    browser.requests.clear()
    browser.look(1400, 1000)
    return browser


@pytest.fixture(scope="package")
def report_data(small):
    return payload(str(small), read_statistics(str(small)))
