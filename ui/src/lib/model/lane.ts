/** The values that a place had, as segments on a line of time. */

import type { ValueSpan } from "$lib/bindings/ValueSpan";
import type { TimeScale } from "./timeScale";

export interface Segment {
  index: number;
  left: number;
  width: number;
}

/** Narrowest segment in pixels: one that can be seen and hit. */
export const NARROWEST = 3;

/** Room in pixels after the last event of a stream: its last value holds on. */
export const TAIL = 84;

/**
 * Places each value from its instant to the next one's; the last one goes to the pixel `end`.
 *
 * No segment is narrower than `NARROWEST`, so values that followed each other at once stand side by side, to the
 * right of their instant if need be; where there are more than fit, they overlap at the right end.
 */
export function segments(values: readonly ValueSpan[], scale: TimeScale, end: number): Segment[] {
  let free = 0;
  const last = Math.max(0, end - NARROWEST);
  return values.map((value, index) => {
    const left = Math.min(Math.max(scale.x(value.from), free), last);
    free = left + NARROWEST;
    const next = values[index + 1];
    const stop = next === undefined ? end : Math.min(scale.x(next.from), end);
    return { index, left, width: Math.max(stop - left, NARROWEST) };
  });
}
