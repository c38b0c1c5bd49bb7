"""Likes and hides are events that the next list knows; visitors, new and known."""

import json
import re
from pathlib import Path

from playwright.sync_api import expect

from tests.page.doing import add, listed, names, settle


def test_a_like_and_a_hide_are_stored_and_the_next_list_knows_them(page, api):
    add(page, "Red River")
    liked, hidden = listed(page)[0], listed(page)[2]
    titles = names(page, "#results h3")
    page.get_by_role("button", name=f"Like {titles[0]}", exact=True).click()
    expect(page.get_by_text(f"Liked: {titles[0]}.")).to_be_visible()
    settle(page)
    visitor = page.locator("#visitor-name").inner_text()
    assert names(page, "#history .title") == [titles[0], "Red River"]
    assert listed(page) == [
        item["item_id"] for item in api("/v1/recommend", {"user_id": visitor, "history": ["i0"]})["items"]
    ]
    page.get_by_role("button", name=f"Hide {titles[2]}", exact=True).click()
    expect(page.get_by_text(f"Hidden: {titles[2]}.")).to_be_visible()
    settle(page)
    assert not {liked, hidden} & set(listed(page))
    stored = api(f"/v1/users/{visitor}")
    assert [item["item_id"] for item in stored["history"]] == [liked]
    assert stored["hidden"] == [hidden]
    said = [one for one in stored["events"] if one["kind"] == "feedback"]
    assert [(one["value"], one["item_id"]) for one in said] == [("like", liked), ("hide", hidden)]
    assert said[0]["position"] == 0
    assert all(one["request_id"] for one in stored["events"])


def test_what_was_shown_is_stored_for_a_visitor_who_is_known(page, api):
    told = []
    page.on("request", lambda request: "/v1/events" in request.url and told.extend(request.post_data_json))
    add(page, "Red River")
    page.wait_for_timeout(1500)
    assert told == []  # looking leaves no trace
    with page.expect_response(lambda answer: "impression" in (answer.request.post_data or "")) as answered:
        page.get_by_role("button", name=re.compile("^Like ")).first.click()
    assert answered.value.json() == {"accepted": 10, "duplicates": 0}
    events = api(f"/v1/users/{page.locator('#visitor-name').inner_text()}")["events"]
    shown = sorted((one for one in events if one["kind"] == "impression"), key=lambda one: one["position"])
    assert [one["item_id"] for one in shown] == listed(page)
    assert {(one["request_id"], one["event_id"].rpartition("-")[0]) for one in shown} == {
        (shown[0]["request_id"], f"shown-{shown[0]['request_id']}")
    }


def test_visitors_take_their_data_along_and_are_forgotten(visit, url, api):
    page = visit(expected=["404"])
    add(page, "Red River")
    title = names(page, "#results h3")[0]
    page.get_by_role("button", name=f"Like {title}", exact=True).click()
    expect(page.locator("#history .title").first).to_have_text(title)
    visitor = page.locator("#visitor-name").inner_text()
    page.locator("summary", has_text="Visitor").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download what is stored").click()
    taken, stored = json.loads(Path(download.value.path()).read_text()), api(f"/v1/users/{visitor}")
    assert download.value.suggested_filename == f"{visitor}.json"
    assert (taken["user_id"], taken["history"]) == (visitor, stored["history"])
    assert taken["events"][0] == stored["events"][0]
    dialog = page.get_by_role("dialog", name="Forget this user?")
    for answer in ("Cancel", "Forget"):
        page.get_by_role("button", name="Forget this user").click()
        expect(dialog).to_contain_text(visitor)
        assert page.request.get(f"{url}/v1/users/{visitor}").ok
        dialog.get_by_role("button", name=answer, exact=True).click()
        expect(dialog).to_be_hidden()
    expect(page.locator("#visitor-note")).to_contain_text("erased. No model has learnt from this user")
    expect(page.locator("#visitor-name")).to_have_text("new")
    expect(page.locator("#history .title")).to_have_text(["Red River"])
    expect(page.get_by_role("button", name="Forget this user")).to_be_hidden()
    assert page.request.get(f"{url}/v1/users/{visitor}").status == 404
    page.reload()
    expect(page.locator("#visitor-name")).to_have_text("new")


def test_what_was_said_can_be_taken_back(page, api):
    add(page, "Red River")
    title = names(page, "#results h3")[1]
    page.get_by_role("button", name=f"Hide {title}", exact=True).click()
    expect(page.locator("#results h3", has_text=title)).to_have_count(0)
    page.get_by_role("button", name="Take back").click()
    expect(page.locator("#results h3", has_text=title)).to_have_count(1)
    page.get_by_role("button", name=f"Hide {title}", exact=True).click()
    page.locator("summary", has_text="Visitor").click()
    page.get_by_role("button", name=f"Show {title} again").click()
    expect(page.locator("#results h3", has_text=title)).to_have_count(1)
    assert api(f"/v1/users/{page.locator('#visitor-name').inner_text()}")["hidden"] == []


def test_the_page_knows_its_visitor_again(page):
    add(page, "Red River")
    title = names(page, "#results h3")[0]
    page.get_by_role("button", name=f"Like {title}", exact=True).click()
    expect(page.locator("#history .title").first).to_have_text(title)
    visitor = page.locator("#visitor-name").inner_text()
    page.reload()
    expect(page.locator("#visitor-name")).to_have_text(visitor)
    expect(page.locator("#history .title")).to_have_text([title])
    page.locator("summary", has_text="Visitor").click()
    page.get_by_role("button", name="New visitor").click()
    expect(page.locator("#history .title")).to_have_count(0)
    page.reload()
    expect(page.locator("#visitor-name")).to_have_text("new")


def test_a_user_of_the_data_set_brings_a_history(visit, url, shop):
    page = visit(expected=["404"])
    page.locator("summary", has_text="Visitor").click()
    page.get_by_label("User id").fill("u3")
    page.get_by_role("button", name="Use", exact=True).click()
    expect(page.get_by_role("button", name="2 earlier")).to_be_visible()
    page.get_by_role("button", name="2 earlier").click()
    expect(page.locator("#history .title")).to_have_text(shop.catalog.titles[3:13])
    settle(page)
    answer = page.request.post(f"{url}/v1/recommend", data={"user_id": "u3"}).json()
    assert listed(page) == [item["item_id"] for item in answer["items"]]
    page.get_by_label("User id").fill("nobody")
    page.get_by_role("button", name="Use", exact=True).click()
    expect(page.get_by_text("Nobody knows this user yet.")).to_be_visible()
    expect(page.locator("#history .title")).to_have_count(0)


def test_an_item_has_a_page_of_its_own(page, api):
    add(page, "Red River")
    page.locator("#results h3 button").first.click()
    dialog = page.get_by_role("dialog")
    item = api(f"/v1/items?item_id={listed(page)[0]}")["items"][0]
    expect(dialog.get_by_role("heading", name=item["title"])).to_be_focused()
    for text in (item["item_id"], str(item["year"]), item["maker"], "yes" if item["in_stock"] else "no"):
        expect(dialog.get_by_role("definition").filter(has_text=text).first).to_be_visible()
    similar = api("/v1/similar", {"item_id": item["item_id"], "k": 6})["items"]
    expect(dialog.locator("#item-similar li")).to_have_text([one["title"] for one in similar])
    dialog.get_by_role("button", name="Add to the history").click()
    expect(dialog).to_be_hidden()
    assert names(page, "#history .title") == ["Red River", item["title"]]
