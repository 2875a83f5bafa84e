import { expect, it } from "vitest";
import type { ValueSpan } from "$lib/bindings/ValueSpan";
import { NARROWEST, segments } from "$lib/model/lane";
import { TimeScale } from "$lib/model/timeScale";

const span = (from: string, to: string | null): ValueSpan => ({
  value: 1, present: true, from, to, position: 1, version: 1, to_version: null, type: "T", actor: null, reason: null, confirmed: 0, last_confirmed: null,
});
const day = (n: number) => `2024-01-${String(n).padStart(2, "0")}T00:00:00Z`;
const scale = new TimeScale(day(1), day(11), 1000);

it("each_value_reaches_to_the_next_and_the_last_to_the_end", () => {
  expect(segments([span(day(1), day(3)), span(day(3), null)], scale, 1080)).toEqual([
    { index: 0, left: 0, width: 200 },
    { index: 1, left: 200, width: 880 },
  ]);
});

it("values_of_one_instant_stand_side_by_side", () => {
  const placed = segments([span(day(3), day(3)), span(day(3), day(3)), span(day(3), null)], scale, 1000);
  expect(placed.map((segment) => segment.left)).toEqual([200, 200 + NARROWEST, 200 + 2 * NARROWEST]);
  expect(placed.every((segment) => segment.width >= NARROWEST)).toBe(true);
});

it("no_segment_leaves_the_lane_however_many_there_are", () => {
  const placed = segments(Array.from({ length: 1000 }, () => span(day(10), day(10))), scale, 1000);
  expect(Math.max(...placed.map((segment) => segment.left + segment.width))).toBeLessThanOrEqual(1000);
});
