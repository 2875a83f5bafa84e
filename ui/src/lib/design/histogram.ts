/** Draws counts as bars of a path. */

/** Bars grow with the square root: one event beside ten thousand is still seen. */
export function barsPath(counts: readonly number[], width: number, height: number, from = 0, to = counts.length): string {
  const most = Math.max(1, ...counts);
  const slot = width / Math.max(1, counts.length);
  const bar = Math.max(1, slot - (slot >= 2.5 ? 1 : 0));
  let path = "";
  for (let i = from; i < to; i++) {
    const count = counts[i] ?? 0;
    if (count === 0) continue;
    const h = Math.max(2, Math.sqrt(count / most) * height);
    path += `M${round(i * slot)} ${height}v${round(-h)}h${round(bar)}v${round(h)}z`;
  }
  return path;
}

function round(n: number): number {
  return Math.round(n * 100) / 100;
}
