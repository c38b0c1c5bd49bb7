"""Usable by keyboard, by screen reader, on a phone, in the dark."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.page.doing import add, ask, settle

READY = {
    "Recommend": "#results .reason span",
    "Chat": "#chat-hints button",
    "Map": "#map-nodes button",
    "Model": "#model-facts dl",
}
PHONE = {"viewport": {"width": 360, "height": 740}}


def faults(page, part=None, **options):
    """What axe-core finds wrong, in short: on the whole page, or in a part of it."""
    found = Axe().run(page, context=part, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [(one["id"], node["target"], node.get("failureSummary")) for one in found for node in one["nodes"]]


def unfold_everything(page):
    add(page, "Red River", "Green Lantern")
    ask(page, "a comedy after 1975")
    for fold in ("Filters", "Options", "Visitor"):
        page.locator("summary", has_text=fold).click()
    page.get_by_role("button", name="What if not Red River?").click()
    settle(page)
    page.locator("button.why").first.click()


def test_every_view_keeps_the_rules_of_accessibility(visit):
    page = visit(bypass_csp=True)  # axe-core is not the page's own
    unfold_everything(page)
    assert faults(page) == []
    page.locator("#results h3 button").first.click()
    expect(page.locator("#item-similar button").first).to_be_visible()
    assert faults(page, "#item-dialog") == []
    page.keyboard.press("Escape")
    for view in ("Chat", "Map", "Model"):
        page.get_by_role("navigation", name="Views").get_by_role("link", name=view).click()
        expect(page.locator(READY[view]).first).to_be_visible()
        assert faults(page, "main") == []


def test_in_the_dark_and_on_a_phone_it_can_be_read_and_hit(visit):
    page = visit(bypass_csp=True, color_scheme="dark", **PHONE)
    unfold_everything(page)
    rules = {"runOnly": ["color-contrast", "target-size", "scrollable-region-focusable"]}
    assert faults(page, **rules) == []
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Map").click()
    expect(page.locator("#map-nodes button").first).to_be_visible()
    assert faults(page, **rules) == []


def test_nothing_sticks_out_on_a_phone(visit):
    page = visit(**PHONE)
    add(page, "Red River")
    for view, ready in READY.items():
        page.get_by_role("navigation", name="Views").get_by_role("link", name=view).click()
        expect(page.locator(ready).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_all_of_it_by_keyboard(page):
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Words of a title")).to_be_focused()
    page.keyboard.type("red river")
    expect(page.locator("#search-count")).to_have_text("1 item")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Add Red River to the history")).to_be_focused()
    page.keyboard.press("Enter")
    settle(page)
    page.locator("#history button").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    settle(page)
    expect(page.get_by_role("button", name="Take Red River in again")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Words of a title")).to_be_focused()  # the history is empty: the catalog is next


def test_what_changes_is_said(page):
    add(page, "Red River")
    first = page.locator("#results h3").first.inner_text()
    expect(page.locator("#results-status")).to_have_text(f"10 items. First: {first}.")
    expect(page.locator("#results-status")).to_have_role("status")
    page.get_by_role("button", name=f"Like {first}").click()
    expect(page.locator("#toasts")).to_have_role("status")
    expect(page.locator("#toasts")).to_contain_text(f"Liked: {first}.")
    expect(page.get_by_role("heading", name="Recommended")).to_be_focused()  # the item that had the focus is gone


def test_views_have_titles_and_take_the_focus(page):
    for view in ("Chat", "Map", "Model", "Recommend"):
        page.get_by_role("navigation", name="Views").get_by_role("link", name=view).click()
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        assert page.title().endswith("- genrec")
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="Model")).to_be_visible()


def test_the_theme_is_chosen_and_kept(visit):
    page = visit(color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Theme: system").click()
    page.get_by_role("button", name="Theme: light").click()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert page.evaluate(ground) != light
    page.reload()
    assert page.evaluate(ground) != light
