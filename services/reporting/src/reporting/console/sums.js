// Sums and shares of rows that the service has counted. Shares are half-up to one decimal by whole numbers, as the service rounds.

// Rows grouped by a key, each with the sums of the named fields; `first` is a row of the group. In the order the keys appear.
export function summed(rows, keyOf, names) {
  const groups = new Map();
  for (const row of rows) {
    const key = keyOf(row);
    if (!groups.has(key)) groups.set(key, { key, first: row, ...Object.fromEntries(names.map((name) => [name, 0])) });
    const group = groups.get(key);
    for (const name of names) group[name] += row[name];
  }
  return [...groups.values()];
}

// `part` of `whole` in percent as text with a point: (12667, 45486) → "27.8"; of nobody: null.
export function share(part, whole) {
  if (!whole) return null;
  const tenths = (2n * BigInt(part) * 1000n + BigInt(whole)) / (2n * BigInt(whole));
  return `${tenths / 10n}.${tenths % 10n}`;
}
