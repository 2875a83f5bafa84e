/** Counts as people read them. */

const GROUPED = new Intl.NumberFormat("en-US");

/** `1,234` */
export function grouped(n: number): string {
  return GROUPED.format(n);
}

/** `1 event`, `1,234 events` */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}

/** `1.4 MB`; under 1,000 bytes exactly. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = n;
  let unit = "B";
  for (const next of units) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
