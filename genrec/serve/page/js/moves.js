// How a list moved: nothing but arithmetic on places.

/** Where each item of `after` stood in `before`: `[{item, place, from, by}]`, places from 1; `from` 0 is new. */
export function moves(before, after) {
  const places = new Map(before.map((item, row) => [item.item_id, row + 1]));
  return after.map((item, row) => {
    const from = places.get(item.item_id) ?? 0;
    return { item, place: row + 1, from, by: from ? from - (row + 1) : 0 };
  });
}

/** Items of `before` that `after` does not have, with the place they had. */
export function gone(before, after) {
  const there = new Set(after.map((item) => item.item_id));
  return before.map((item, row) => ({ item, from: row + 1 })).filter(({ item }) => !there.has(item.item_id));
}

export function inWords({ from, by }) {
  if (!from) return "new in the list";
  if (!by) return "same place";
  return `${Math.abs(by)} ${Math.abs(by) === 1 ? "place" : "places"} ${by > 0 ? "up" : "down"}`;
}
