"""A customer visits the shop: what they do, and what they are offered next."""

from __future__ import annotations

import sys
import uuid

from genrec.serve.client import Client


def main(url: str = "http://127.0.0.1:8000") -> None:
    """Visit the shop at an address."""
    shop, visitor = Client(url), f"visitor-{uuid.uuid4().hex[:8]}"

    def does(kind: str, item_id: str, value: str, **more: object) -> None:
        event = {"event_id": uuid.uuid4().hex, "user_id": visitor, "item_id": item_id, "kind": kind, "value": value}
        shop.send_events([event | more])

    espresso = shop.find_items("espresso")["items"][0]
    print(f"{visitor} looks at {espresso['title']}, {espresso['price']} euro")
    does("interaction", espresso["item_id"], "view", dwell_ms=9_000)

    offer = shop.recommend(user_id=visitor, k=3, filters=["in_stock=true"], explain=True)
    for item in offer["items"]:
        print(f"  offered {item['title']}: {item['reasons']['sentence']}")

    unwanted = offer["items"][0]
    print(f"{visitor} hides {unwanted['title']}")
    does("feedback", unwanted["item_id"], "hide", request_id=offer["request_id"], position=0)
    offer = shop.recommend(user_id=visitor, k=3, filters=["in_stock=true"])
    print(f"  offered {', '.join(item['title'] for item in offer['items'])}")

    turn = shop.chat("something sweet under 5 euro", k=3)
    print(turn["text"])
    turn = shop.chat("not the first one", turn["state"], k=3)
    print(turn["text"])

    print(f"{visitor} wants to be forgotten: {shop.forget(visitor)['events']} events deleted")


if __name__ == "__main__":
    main(*sys.argv[1:])
