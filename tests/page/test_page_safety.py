"""Titles are text, nothing comes from elsewhere, and keys open what they may."""

import re

import pytest
from playwright.sync_api import Error, expect

from tests.page.conftest import EVIL
from tests.page.doing import add, ask, settle


def test_the_policy_lets_nothing_in_and_nothing_runs_inline(visit, url):
    page = visit(expected=["TrustedHTML"])
    answer = page.request.get(url)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert not re.search(r"<script>|\son\w+=|\sstyle=", answer.text())
    assert page.request.get(f"{url}/page/../app.py").status == 404
    refused = page.evaluate("try { document.body.innerHTML = '<b>x</b>'; 'taken' } catch (error) { error.name }")
    assert refused == "TypeError"


def test_a_title_that_is_an_attack_is_a_title(visit):
    page = visit()
    add(page, EVIL, "Red River")
    title = EVIL
    expect(page.locator("#history .title").first).to_have_text(title)
    page.get_by_role("button", name="What if not <img").click()
    settle(page)
    expect(page.locator("#what-if")).to_contain_text(title)
    page.get_by_role("button", name="Take <img").click()
    page.locator("summary", has_text="Options").click()
    page.get_by_label("Items", exact=True).fill("24")
    page.get_by_label("Items of the history too").check()
    expect(page.locator("#results > li")).to_have_count(24)
    settle(page)
    expect(page.locator("#results h3", has_text="<img")).to_have_text(title)
    page.locator("#results li", has_text="onerror").first.get_by_role("button", name="Why").click()
    page.get_by_role("button", name="Like <img").click()
    expect(page.get_by_text("Liked: <img")).to_be_visible()
    page.locator("#history .title", has_text="<img").click()
    expect(page.get_by_role("dialog").get_by_role("heading", name="<img")).to_have_text(title)
    page.get_by_role("link", name="On the map").click()
    expect(page.locator("#map-nodes .here")).to_contain_text(title)
    page.get_by_role("link", name="Chat").click()
    page.get_by_label("What you say").fill(f"something like {EVIL}")
    page.keyboard.press("Enter")
    expect(page.locator(".bubble.said p")).to_have_text(f"something like {EVIL}")
    expect(page.locator(".bubble.answer.pending")).to_have_count(0)
    assert page.title() == "Chat - genrec"
    assert page.locator("img").count() == 1  # the page's own


def test_words_that_are_an_attack_are_words(page):
    ask(page, f"something like Red River {EVIL}")
    expect(page.get_by_role("group", name="What was understood").get_by_text("Red River", exact=True)).to_be_visible()
    assert page.locator("img").count() == 1
    assert page.title() == "Recommend - genrec"


def with_key(key):
    return {"http_credentials": {"username": "anything", "password": key}}


def test_without_a_key_there_is_no_page(browser, keyed):
    # Where a person sits before it, it asks for a password.
    with browser.new_context() as context, pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
        context.new_page().goto(keyed.url)


def test_with_a_key_everything_works(visit, keyed):
    page = visit(keyed.url, **with_key(keyed.shop))
    add(page, "Red River")
    page.get_by_role("button", name=re.compile("^Like ")).first.click()
    expect(page.get_by_text("The list knows it already.")).to_be_visible()
    expect(page.locator("#history > li")).to_have_count(2)
    page.get_by_role("link", name="Model").click()
    expect(page.get_by_text("None was given")).to_be_visible()
    assert keyed.shop not in page.content()


def test_a_key_that_may_only_ask_is_told_so_and_another_can_be_given(visit, keyed):
    page = visit(keyed.url, expected=["403", "401"], **with_key(keyed.asker))
    add(page, "Red River")
    page.get_by_role("button", name=re.compile("^Hide ")).nth(2).click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("it lacks the scope events")
    alert.get_by_role("button", name="Enter a key").click()
    page.get_by_label("Key", exact=True).fill("gr_wrong")
    page.get_by_role("button", name="Use it").click()
    expect(alert).to_contain_text("This is not an API key of this server.")
    alert.get_by_role("button", name="Enter a key").click()
    page.get_by_label("Key", exact=True).fill(keyed.shop)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Hidden: ")).to_be_visible()
    expect(alert).to_be_empty()
    page.get_by_role("button", name="API key").click()
    expect(page.get_by_label("Key", exact=True)).to_have_value("")


def test_a_key_without_users_still_shows_what_a_user_met(visit, keyed, shop):
    page = visit(keyed.url, expected=["403"], **with_key(keyed.asker))
    page.locator("summary", has_text="Visitor").click()
    page.get_by_label("User id").fill("u3")
    page.get_by_role("button", name="Use", exact=True).click()
    expect(page.locator("#history .title")).to_have_text(shop.catalog.titles[5:13])


def test_only_the_files_of_the_page_are_there(page, url):
    for name in ("/page/nothing.js", "/page/%2e%2e/auth.py", "/page//etc/passwd"):
        assert page.request.get(url + name).status == 404
