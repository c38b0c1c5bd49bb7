"""What people do on the page, in their words."""

from playwright.sync_api import expect


def add(page, *titles):
    """Click items of the catalog into the history, and wait until the list is that of all of them."""
    for title in titles:
        page.get_by_label("Words of a title").fill(title)
        page.get_by_role("button", name=f"Add {title} to the history").first.click()
    settle(page)


def ask(page, words):
    page.get_by_label("In words").fill(words)
    page.get_by_role("button", name="Recommend", exact=True).click()
    settle(page)


def settle(page):
    """Wait until the list and its reasons are those of all that was clicked, and of what was typed."""
    expect(page.locator("#results:not([aria-busy]):not([data-reasons-pending])")).to_be_attached()


def listed(page):
    """Ids of the recommended items."""
    return page.locator("#results > li").evaluate_all("rows => rows.map(row => row.dataset.item)")


def names(page, selector):
    return [text.strip() for text in page.locator(selector).all_inner_texts()]
