"""The page as a person meets it: a real server, a real browser, a visit a test."""

import os
from types import SimpleNamespace

import pyarrow as pa
import pytest
from playwright.sync_api import expect, sync_playwright

from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.serve.auth import KeyRing
from genrec.serve.settings import ServeSettings
from genrec.testing import toy_dataset
from genrec.testing.serving import ServerThread, train_toy_model
from tests.page.chromium import HOW, find_chromium

EVIL = """<img src=x onerror="document.title='hacked'">'"&amp;{{7*7}}"""
PATIENCE_MS = 15_000
DESK = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def shop():
    """The toy data with columns of every kind, and a title that is an attack."""
    toy = toy_dataset()
    items = range(len(toy.catalog))
    titles = [EVIL if row == 5 else title for row, title in enumerate(toy.catalog.titles)]
    columns = {
        "title": titles,
        "price": [2.5 + row for row in items],
        "in_stock": [row % 2 == 0 for row in items],
        "added": pa.array([19_700 + row for row in items], pa.date32()),
        "maker": ["Smith & Sons" if row % 3 else "O'Hara" for row in items],
    }
    table = toy.catalog.table
    for name, values in columns.items():
        at = table.column_names.index(name) if name in table.column_names else -1
        table = table.set_column(at, name, pa.array(values)) if at >= 0 else table.append_column(name, pa.array(values))
    return Dataset(name="toy shop", interactions=toy.interactions, catalog=Catalog(table), users=toy.users)


@pytest.fixture(scope="session")
def shop_model(shop, tmp_path_factory):
    """A small model with semantic IDs of two levels."""
    return train_toy_model(tmp_path_factory.mktemp("page") / "model", epochs=3, data=shop)


@pytest.fixture(scope="session")
def url(shop, shop_model, tmp_path_factory):
    """A server with a benchmark report, and without keys."""
    folder = tmp_path_factory.mktemp("open")
    (folder / "report.html").write_text("<!doctype html><title>Report</title><h1>Figures</h1>")
    settings = ServeSettings(report=folder / "report.html")
    with ServerThread(shop_model, folder / "events.db", settings, data=shop) as server:
        yield server.url


@pytest.fixture(scope="session")
def keyed(shop, shop_model, tmp_path_factory):
    """A server that wants keys; `asker` and `shop` are two, of which the first may only ask."""
    folder = tmp_path_factory.mktemp("keyed")
    ring, asker = KeyRing().with_new("asker", ["recommend"])
    ring, whole = ring.with_new("shop", ["admin"])
    ring.write(folder / "keys.json")
    settings = ServeSettings(keys=folder / "keys.json")
    with ServerThread(shop_model, folder / "events.db", settings, data=shop) as server:
        yield SimpleNamespace(url=server.url, asker=asker, shop=whole)


# Of a module, not of the session: while it is open, this thread has a running event loop, which other tests start anew.
@pytest.fixture(scope="module")
def browser():
    path = find_chromium()
    if path is None and os.environ.get("CI"):
        pytest.fail(f"no Chromium to test the page with: {HOW}")
    if path is None:
        pytest.skip(f"THE PAGE IS NOT TESTED: there is no Chromium. {HOW}")
    with sync_playwright() as playwright:
        options = ["--disable-gpu", *([] if os.geteuid() else ["--no-sandbox"])]  # there is no sandbox for root
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, url):
    """Open the page, as often as one likes; in the end, nothing may have gone wrong that was not `expected`."""
    faults, contexts = [], []

    def open_page(at=url, expected=(), view="", **options):
        context = browser.new_context(**DESK | options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: _note(faults, message.type, message.text, expected))
        page.on("pageerror", lambda error: _note(faults, "error", str(error), expected))
        page.on("dialog", lambda dialog: faults.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: request.url.startswith(at) or faults.append(f"outside: {request.url}"))
        page.goto(f"{at}/{view}")
        expect(page.locator("#served")).to_contain_text("items")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def _note(faults, kind, text, expected):
    if kind in ("error", "warning") and not any(one in text for one in expected):
        faults.append(f"{kind}: {text}")


@pytest.fixture
def page(visit):
    return visit()


@pytest.fixture
def api(page, url):
    """The same server without the page: what it says must be what the page shows."""

    def call(path, body=None):
        answer = page.request.get(url + path) if body is None else page.request.post(url + path, data=body)
        assert answer.ok, answer.text()
        return answer.json()

    return call
