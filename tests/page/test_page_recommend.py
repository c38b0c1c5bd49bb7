"""Searching, a history by clicking, a request in words, reasons, filters, options."""

import pyarrow as pa
from playwright.sync_api import expect

from genrec.data.catalog import Catalog
from genrec.serve.settings import ServeSettings
from genrec.testing.serving import ServerThread, train_toy_model
from tests.page.doing import add, ask, listed, names, settle

TYPED_MS = 400  # what is typed counts when typing stops


def test_the_catalog_is_searched_by_words_and_by_category(page, api):
    found = page.locator("#search-results .found-title")
    expect(page.locator("#search-count")).to_have_text("24 items")
    page.get_by_label("Words of a title").fill("blue castle")
    expect(found).to_have_text(["Blue Castle"])
    page.get_by_label("Words of a title").fill("")
    page.get_by_label("Category", exact=True).select_option("Comedy")
    expect(page.locator("#search-count")).not_to_have_text("24 items")
    comedies = api("/v1/items?query=comedy&limit=200")["items"]
    expect(found).to_have_text([item["title"] for item in comedies])
    page.get_by_label("Words of a title").fill("nothing like it")
    expect(page.locator("#search-count")).to_have_text("Nothing has all of these words.")


def test_clicking_builds_a_history_and_the_list_is_the_servers(page, api):
    expect(page.get_by_text("Add items to the history")).to_be_visible()
    add(page, "Red River", "Green Lantern")
    assert names(page, "#history .title") == ["Red River", "Green Lantern"]
    answer = api("/v1/recommend", {"history": ["i0", "i2"], "explain": True})
    assert listed(page) == [item["item_id"] for item in answer["items"]]
    assert names(page, "#results h3") == [item["title"] for item in answer["items"]]
    scores = page.locator("#results .number").evaluate_all("all => all.map(one => one.lastChild.textContent)")
    assert scores == [f"{item['score']:.2f}" for item in answer["items"]]
    expect(page.locator("#results-facts")).to_contain_text(f"of {answer['eligible']} items")
    page.get_by_role("button", name="Remove Red River from the history").click()
    settle(page)
    assert listed(page) == [item["item_id"] for item in api("/v1/recommend", {"history": ["i2"]})["items"]]
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text("Add items to the history")).to_be_visible()
    assert listed(page) == []


def test_somebody_without_an_idea_gets_three_items(page):
    page.get_by_role("button", name="Take three for me").click()
    expect(page.locator("#history > li")).to_have_count(3)
    expect(page.locator("#results > li")).to_have_count(10)


def test_every_item_says_why_and_the_facts_unfold(page, api):
    add(page, "Red River", "Green Lantern")
    first = api("/v1/recommend", {"history": ["i0", "i2"], "explain": True})["items"][0]
    said = first["reasons"]["sentence"].removeprefix(f"{first['title']}: ")
    expect(page.locator("#results .reason").first).to_have_text(said[0].upper() + said[1:])
    why = page.get_by_role("button", name=f"Why {first['title']}?")
    why.click()
    expect(why).to_have_attribute("aria-expanded", "true")
    facts = page.locator("#results > li").first.locator(".why-body")
    for reason in first["reasons"]["history"]:
        expect(facts.locator(".delta-title", has_text=reason["title"])).to_be_visible()
    expect(facts).to_contain_text(f"{first['score']:.4f}")
    page.get_by_text("Options").click()
    page.get_by_label("Give reasons").uncheck()
    settle(page)
    expect(page.locator("#results .reason").first).to_be_empty()
    expect(why).to_be_hidden()


def test_a_request_in_words_shows_what_was_understood(page, api):
    ask(page, "a comedy like Red River, after 1975, no drama")
    answer = api("/v1/recommend", {"history": [], "prompt": "a comedy like Red River, after 1975, no drama"})
    assert listed(page) == [item["item_id"] for item in answer["items"]]
    understood = page.get_by_role("group", name="What was understood")
    for value in ("Red River", "Comedy", "Drama", *answer["filters"]):
        expect(understood.get_by_text(value, exact=True)).to_be_visible()
    page.get_by_label("In words").fill("a drama")
    page.keyboard.press("Enter")
    expect(understood.get_by_text("Comedy", exact=True)).to_be_hidden()


def chosen(api, *filters):
    return [item["item_id"] for item in api("/v1/recommend", {"history": ["i0"], "filters": list(filters)})["items"]]


def test_each_kind_of_column_has_a_filter_that_fits(page, api):
    add(page, "Red River")
    page.locator("summary", has_text="Filters").click()
    group = page.locator("#filters").get_by_role
    group("group", name="year").get_by_label("year from").fill("1975")
    group("group", name="price").get_by_label("price to").fill("20.5")
    page.wait_for_timeout(TYPED_MS)
    group("group", name="in_stock").get_by_role("combobox").select_option("yes")
    group("group", name="maker").get_by_label("Smith & Sons").check()
    settle(page)
    wanted = ["year>=1975", "price<=20.5", "in_stock=true", "maker='Smith & Sons'"]
    assert listed(page) == chosen(api, *wanted) != []
    expect(page.locator("#filters-count")).to_have_text("4")
    page.get_by_role("button", name="Clear the filters").click()
    page.wait_for_timeout(TYPED_MS)
    settle(page)
    assert listed(page) == chosen(api)
    group("group", name="added").get_by_label("added from").fill("2023-12-20")
    page.wait_for_timeout(TYPED_MS)
    group("group", name="maker").get_by_role("combobox").select_option("none of")
    group("group", name="maker").get_by_label("O'Hara").check()
    group("group", name="categories").get_by_label("Comedy").check()
    group("group", name="categories").get_by_label("Children's").check()
    settle(page)
    wanted = ["added>=2023-12-20", 'not maker="O\'Hara"', 'genre=Comedy or genre="Children\'s"']
    assert listed(page) == chosen(api, *wanted) != []


def test_a_filter_of_ones_own_and_what_is_wrong_with_it_in_words(visit):
    page = visit(expected=["422"])
    add(page, "Red River")
    page.locator("summary", has_text="Filters").click()
    own = page.get_by_label("An expression")
    own.fill("colour=red")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("items have no column 'colour'")
    expect(alert).to_contain_text("Columns are item_id, title")
    own.fill("year=1977 or year=1978")
    expect(alert).to_be_empty()
    settle(page)
    assert sorted(listed(page)) == ["i7", "i8"]
    own.fill("year>2050")
    expect(page.get_by_text("No item passes these filters.")).to_be_visible()


def test_as_many_items_as_one_wants(page):
    add(page, "Red River")
    page.locator("summary", has_text="Options").click()
    page.get_by_label("Items", exact=True).fill("1")
    expect(page.locator("#results > li")).to_have_count(1)
    page.get_by_label("Items", exact=True).fill("24")
    page.get_by_label("Items of the history too").check()
    page.get_by_label("Score every item, no search").check()
    expect(page.locator("#results > li")).to_have_count(24)


def test_last_places_for_items_that_nobody_met(visit, shop, tmp_path):
    rows = shop.catalog.table.slice(0, 1).to_pylist()
    new = pa.Table.from_pylist([rows[0] | {"item_id": "n0", "title": "Red River Returns"}], shop.catalog.table.schema)
    data = shop.with_catalog(Catalog(pa.concat_tables([shop.catalog.table, new])))
    with ServerThread(
        train_toy_model(tmp_path / "model", data=data), tmp_path / "events.db", ServeSettings(), data=data
    ) as server:
        page = visit(server.url)
        add(page, "Red River")
        page.locator("summary", has_text="Options").click()
        page.get_by_label("Last places for items nobody met").fill("3")
        last = page.locator("#results > li").last
        expect(last.locator("h3")).to_have_text("Red River Returns")
        expect(last.locator(".place")).to_contain_text("new")
        assert page.locator("#results .place", has_text="new").count() == 1
