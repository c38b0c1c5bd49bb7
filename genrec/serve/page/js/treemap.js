// Squarified treemap (Bruls, Huizing and van Wijk 2000): rectangles as near to squares as they will go.

/** Rectangles `{x, y, width, height}` that fill `width` x `height`, with areas as `sizes`, which are sorted, largest first. */
export function treemap(sizes, width, height) {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const scale = (width * height) / (total || 1);
  const found = [];
  const free = { x: 0, y: 0, width, height };
  let row = [];
  for (const size of sizes.map((one) => one * scale)) {
    const side = Math.min(free.width, free.height);
    if (row.length && worst([...row, size], side) > worst(row, side)) {
      lay(row, free, found);
      row = [];
    }
    row.push(size);
  }
  lay(row, free, found);
  return found;
}

/** How far the least square of a row is from a square. */
function worst(row, side) {
  const sum = row.reduce((all, size) => all + size, 0);
  return Math.max((side * side * Math.max(...row)) / (sum * sum), (sum * sum) / (side * side * Math.min(...row)));
}

/** Put a row along the shorter side of what is free, and take its place away. */
function lay(row, free, found) {
  const sum = row.reduce((all, size) => all + size, 0);
  const upright = free.width >= free.height;
  const thick = sum / (upright ? free.height : free.width) || 0;
  let at = upright ? free.y : free.x;
  for (const size of row) {
    const long = size / thick;
    found.push(
      upright ? { x: free.x, y: at, width: thick, height: long } : { x: at, y: free.y, width: long, height: thick },
    );
    at += long;
  }
  if (upright) Object.assign(free, { x: free.x + thick, width: free.width - thick });
  else Object.assign(free, { y: free.y + thick, height: free.height - thick });
}
