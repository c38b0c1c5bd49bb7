"""Map, chat, model and report."""

from playwright.sync_api import expect

from tests.page.doing import add, settle


def areas(page):
    return page.locator("#map-nodes > li > button")


def test_the_map_goes_down_to_every_item_and_up_again(visit, url):
    page = visit(view="#map")
    root = page.request.get(f"{url}/v1/tree").json()
    expect(areas(page)).to_have_count(root["total"])
    largest = max(root["children"], key=lambda child: child["items"])
    expect(areas(page).first).to_have_accessible_name(
        f"Code {largest['code']}, {largest['items']} items: {', '.join(one['title'] for one in largest['samples'])}"
    )
    sizes = areas(page).evaluate_all("all => all.map(({parentElement: area}) => area.offsetWidth * area.offsetHeight)")
    counts = sorted((child["items"] for child in root["children"]), reverse=True)
    assert all(abs(size / sum(sizes) - items / 24) < 0.02 for size, items in zip(sizes, counts, strict=True))
    areas(page).first.click()
    expect(page.locator("#map-path .code")).to_have_text(str(largest["code"]))
    expect(page.locator("#map-facts")).to_contain_text(f"{largest['items']} items")
    leaf = areas(page).first.inner_text().strip()
    areas(page).first.click()
    expect(page.get_by_role("dialog").get_by_role("heading", name=leaf)).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Up one level").click()
    expect(areas(page)).to_have_count(root["total"])


def test_an_item_is_shown_on_the_map(page):
    page.get_by_role("button", name="About Blue Castle").click()
    page.get_by_role("link", name="On the map").click()
    expect(page.get_by_role("button", name="Blue Castle", exact=True)).to_be_focused()
    expect(page.get_by_role("link", name="Map")).to_have_attribute("aria-current", "page")


def test_a_treemap_fills_its_place_without_overlap(page):
    sizes = [9, 6, 6, 4, 3, 1, 1, 1]
    found = page.evaluate("async (sizes) => (await import('/page/js/treemap.js')).treemap(sizes, 60, 40)", sizes)
    for size, area in zip(sizes, found, strict=True):
        assert abs(area["width"] * area["height"] - size / sum(sizes) * 2400) < 1e-6
        assert min(area["x"], area["y"]) > -1e-9
        assert area["x"] + area["width"] < 60 + 1e-6
        assert area["y"] + area["height"] < 40 + 1e-6
    for row, one in enumerate(found):
        for other in found[row + 1 :]:
            across = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
            down = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
            assert across < 1e-6 or down < 1e-6
    assert max(max(a["width"] / a["height"], a["height"] / a["width"]) for a in found) < 3


def test_a_conversation_adds_up_and_can_be_taken_back(visit, url):
    page = visit(view="#chat")
    log = page.get_by_role("log")
    page.get_by_label("What you say").fill("a comedy like Red River")
    page.get_by_role("button", name="Say").click()
    expect(log).to_contain_text("Noted: Comedy; you like Red River.")
    turn = page.request.post(f"{url}/v1/chat", data={"text": "a comedy like Red River", "k": 5}).json()
    expect(log.locator(".similar button")).to_have_text([item["title"] for item in turn["items"]])
    expect(page.locator("#chat-standing .chip")).to_have_text(["Comedy", "like Red River"])
    page.get_by_role("button", name="why the first?").click()
    expect(log.locator(".bubble").last).to_contain_text(turn["items"][0]["title"])
    page.get_by_label("What you say").fill("forget the comedy")
    page.keyboard.press("Enter")
    expect(page.locator("#chat-standing .chip")).to_have_text(["like Red River"])
    page.get_by_role("button", name="Start over").click()
    expect(page.locator("#chat-standing .chip")).to_have_count(0)
    expect(log.locator(".bubble")).to_have_count(1)


def test_a_turn_that_fails_can_be_said_again(visit, url):
    page = visit(view="#chat", expected=["ERR_FAILED"])
    page.route("**/v1/chat", lambda route: route.abort())
    page.get_by_label("What you say").fill("a comedy")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached")
    expect(page.get_by_label("What you say")).to_have_value("a comedy")
    page.unroute("**/v1/chat")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("log")).to_contain_text("Comedy")
    expect(page.get_by_role("alert")).to_be_empty()


def test_the_model_and_its_report(visit):
    page = visit(view="#model")
    facts = page.locator("#model-facts")
    expect(facts).to_contain_text("toy shop")
    expect(facts.get_by_role("row", name="price")).to_contain_text("2.5 to 25.5")
    expect(facts.get_by_role("row", name="maker")).to_contain_text("Smith & Sons, O'Hara")
    expect(page.frame_locator("#report-frame").get_by_role("heading", name="Figures")).to_be_visible()


def test_the_list_asks_again_when_the_server_was_away(visit):
    page = visit(expected=["ERR_FAILED"])
    page.route("**/v1/recommend", lambda route: route.abort())
    add(page, "Red River")
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached")
    page.unroute("**/v1/recommend")
    page.get_by_role("button", name="Try again").click()
    settle(page)
    expect(page.locator("#results > li")).to_have_count(10)
    expect(page.get_by_role("alert")).to_be_empty()
