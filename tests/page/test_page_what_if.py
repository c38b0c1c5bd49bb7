"""Leaving an item out of the history, and watching the list move."""

from playwright.sync_api import expect

from tests.page.doing import add, listed, settle


def moves(page):
    return page.locator("#results .move .hidden-title").all_text_contents()


def in_words(place, before):
    if not before:
        return "new in the list"
    by = before - place
    return "same place" if not by else f"{abs(by)} {'place' if abs(by) == 1 else 'places'} {'up' if by > 0 else 'down'}"


def test_the_list_moves_as_the_server_says_and_comes_back(page, api):
    add(page, "Red River", "Green Lantern", "Violet Violin")
    full = [item["item_id"] for item in api("/v1/recommend", {"history": ["i0", "i2", "i7"]})["items"]]
    expect(page.locator("#results > li").first).to_have_attribute("data-item", full[0])
    assert listed(page) == full
    button = page.get_by_role("button", name="What if not Violet Violin?")
    button.click()
    settle(page)
    without = [item["item_id"] for item in api("/v1/recommend", {"history": ["i0", "i2"], "k": 11})["items"]]
    without = [item for item in without if item != "i7"][:10]  # what it is about is not the answer
    assert listed(page) == without != full
    places = {item: row for row, item in enumerate(full, 1)}
    assert moves(page) == [in_words(row, places.get(item, 0)) for row, item in enumerate(without, 1)]
    gone = [item for item in full if item not in without]
    expect(page.locator("#dropped li")).to_have_count(len(gone))
    moved = sum(item in places and places[item] != row for row, item in enumerate(without, 1))
    expect(page.locator("#what-if")).to_contain_text(f"{moved} item")
    back = page.get_by_role("button", name="Take Violet Violin in again")
    expect(back).to_have_attribute("aria-pressed", "true")
    expect(back).to_be_focused()
    page.get_by_role("button", name="Put back").click()
    settle(page)
    assert listed(page) == full
    assert moves(page) == []


def test_a_reason_can_be_put_to_the_test(page, api):
    add(page, "Red River", "Green Lantern")
    first = api("/v1/recommend", {"history": ["i0", "i2"], "explain": True})["items"][0]
    page.get_by_role("button", name=f"Why {first['title']}?").click()
    page.get_by_role("button", name="Leave out Green Lantern").first.click()
    settle(page)
    without = api("/v1/recommend", {"history": ["i0"], "candidates": [one for one in listed(page)]})
    assert listed(page) == [item["item_id"] for item in without["items"]]
    expect(page.locator("#what-if")).to_contain_text("What if not Green Lantern?")


def test_arithmetic_of_moves(page):
    found = page.evaluate(
        """async () => {
            const { moves, gone } = await import("/page/js/moves.js");
            const list = (ids) => [...ids].map((item_id) => ({ item_id }));
            return [moves(list("abc"), list("cdb")).map(({ from, by }) => [from, by]), gone(list("abc"), list("cdb"))];
        }"""
    )
    assert found == [[[3, 2], [0, 0], [2, -1]], [{"item": {"item_id": "a"}, "from": 1}]]
