/** Maps a span of time onto pixels and back. */

import { DAY_NS, formatInstant, parseInstant, parts, readInstant, SECOND, type Nanos } from "./instant";
import { shownZone } from "./shownZone.svelte";
import { fromLocal, offsetAt } from "./zones";

export interface Tick {
  x: number;
  label: string;
}

const UNITS: Nanos[] = [
  1n, 1_000n, 1_000_000n, SECOND, 60n * SECOND, 3600n * SECOND, DAY_NS,
];
const STEPS: [Nanos, string][] = [
  [1_000_000n, "ms"], [10_000_000n, "ms"], [100_000_000n, "ms"],
  [SECOND, "s"], [5n * SECOND, "s"], [15n * SECOND, "s"],
  [60n * SECOND, "min"], [300n * SECOND, "min"], [900n * SECOND, "min"],
  [3600n * SECOND, "min"], [3n * 3600n * SECOND, "min"], [6n * 3600n * SECOND, "min"], [12n * 3600n * SECOND, "min"],
  [DAY_NS, "day"], [2n * DAY_NS, "day"], [7n * DAY_NS, "day"],
];

export class TimeScale {
  readonly from: Nanos;
  readonly to: Nanos;
  constructor(
    from: string,
    to: string,
    readonly width: number,
  ) {
    this.from = parseInstant(from) ?? 0n;
    this.to = parseInstant(to) ?? this.from;
  }

  private get span(): Nanos {
    return this.to > this.from ? this.to - this.from : 1n;
  }

  /** Whether an instant lies inside. */
  spans(time: string): boolean {
    const ns = parseInstant(time);
    return ns !== null && ns >= this.from && ns <= this.to;
  }

  /** Pixel of an instant, kept inside the width. */
  x(time: string): number {
    const ns = parseInstant(time);
    return ns === null ? 0 : this.xOf(ns);
  }

  private xOf(ns: Nanos): number {
    if (ns <= this.from) return 0;
    if (ns >= this.to) return this.width;
    // parts per billion: finer than any screen, and safe to turn into a float
    return (Number(((ns - this.from) * 1_000_000_000n) / this.span) / 1e9) * this.width;
  }

  /** Instant under a pixel, cut to the coarsest unit that is finer than a pixel: no false precision. */
  time(x: number): string {
    const share = BigInt(Math.round((Math.min(Math.max(x, 0), this.width) / Math.max(this.width, 1)) * 1e9));
    const ns = this.from + (this.span * share) / 1_000_000_000n;
    if (ns >= this.to) return formatInstant(this.to);
    const pixel = this.span / BigInt(Math.max(1, Math.round(this.width)));
    const unit = UNITS.filter((u) => u <= pixel).at(-1) ?? 1n;
    const cut = ns - (((ns % unit) + unit) % unit);
    return formatInstant(cut < this.from ? this.from : cut);
  }

  /** Round places with labels, at least `gap` pixels apart. */
  ticks(gap: number): Tick[] {
    const room = Math.max(1, Math.floor(this.width / gap));
    const ideal = this.span / BigInt(room);
    const step = STEPS.find(([ns]) => ns >= ideal);
    return step ? this.even(step[0], step[1]) : this.calendar(ideal);
  }

  /** Ticks are round in the zone shown: they step over its clocks, and each is put back onto the time line. */
  private even(step: Nanos, label: string): Tick[] {
    const ticks: Tick[] = [];
    const zone = shownZone();
    const first = this.from + BigInt(offsetAt(zone, seconds(this.from))) * SECOND;
    let local = first - (((first % step) + step) % step) + step;
    for (let n = 0; n < 200; n++, local += step) {
      const ns = zone === "UTC" ? local : BigInt(fromLocal(zone, seconds(local))) * SECOND + (((local % SECOND) + SECOND) % SECOND);
      if (ns >= this.to) break;
      const { date, clock, fraction } = parts(ns);
      const midnight = clock === "00:00:00" && fraction === "";
      const text = label === "day" || midnight ? date : label === "min" ? clock.slice(0, 5) : clock + fraction;
      if (ns > this.from) ticks.push({ x: this.xOf(ns), label: text });
    }
    return ticks;
  }

  private calendar(ideal: Nanos): Tick[] {
    const month = 30n * DAY_NS;
    const months = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12000].find((n) => BigInt(n) * month >= ideal) ?? 12000;
    const start = parts(this.from);
    const ticks: Tick[] = [];
    let count = Math.ceil((Number(start.date.slice(0, 4)) * 12 + Number(start.date.slice(5, 7))) / months) * months;
    for (; ticks.length < 200; count += months) {
      const year = Math.floor(count / 12);
      const label = `${String(year).padStart(4, "0")}-${String((count % 12) + 1).padStart(2, "0")}`;
      const at = readInstant(`${label}-01 00:00:00`)?.at;
      const ns = at === undefined ? null : parseInstant(at);
      if (ns === null || ns >= this.to) break;
      if (ns > this.from) ticks.push({ x: this.xOf(ns), label: months >= 12 ? label.slice(0, 4) : label });
    }
    return ticks;
  }
}

/** Whole seconds since the epoch, rounded down. */
function seconds(ns: Nanos): number {
  return Number((ns - (((ns % SECOND) + SECOND) % SECOND)) / SECOND);
}
