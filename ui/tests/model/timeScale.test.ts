import { describe, expect, it } from "vitest";
import { TimeScale } from "$lib/model/timeScale";

const YEAR = new TimeScale("2024-01-01T00:00:00Z", "2024-12-31T00:00:00Z", 1000);

it("ends_map_to_the_edges", () => {
  expect(YEAR.x("2024-01-01T00:00:00Z")).toBe(0);
  expect(YEAR.x("2024-12-31T00:00:00Z")).toBe(1000);
  expect(YEAR.x("2031-01-01T00:00:00Z")).toBe(1000);
  expect(YEAR.x("1999-01-01T00:00:00Z")).toBe(0);
  expect(YEAR.time(1000)).toBe("2024-12-31T00:00:00Z");
  expect(YEAR.time(-5)).toBe("2024-01-01T00:00:00Z");
});

it("instant_under_a_pixel_has_no_false_precision", () => {
  // a pixel is over eight hours wide
  expect(YEAR.time(500)).toMatch(/:00:00Z$/);
});

it("pixel_to_instant_to_pixel_stays_within_a_pixel", () => {
  for (let x = 0; x <= 1000; x += 7) expect(Math.abs(YEAR.x(YEAR.time(x)) - x)).toBeLessThanOrEqual(1);
});

it("log_of_one_instant_does_not_divide_by_zero", () => {
  const scale = new TimeScale("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", 500);
  expect(scale.time(250)).toBe("2024-01-01T00:00:00Z");
  expect(Number.isFinite(scale.x("2024-01-01T00:00:00Z"))).toBe(true);
  expect(scale.ticks(90)).toEqual([]);
});

it("instant_outside_is_told_from_one_at_the_edge", () => {
  expect([YEAR.spans("2024-12-31T00:00:00Z"), YEAR.spans("2024-12-31T00:00:00.000000001Z")]).toEqual([true, false]);
});

describe("ticks", () => {
  it.each([
    ["months", "2024-01-01T00:00:00Z", "2024-12-31T00:00:00Z", "2024-03"],
    ["years", "1990-05-01T00:00:00Z", "2024-12-31T00:00:00Z", "2000"],
    ["days", "2024-01-01T12:00:00Z", "2024-01-09T12:00:00Z", "2024-01-03"],
    ["hours", "2024-01-01T00:30:00Z", "2024-01-01T09:30:00Z", "03:00"],
    ["seconds", "2024-01-01T00:00:00.5Z", "2024-01-01T00:00:09.5Z", "00:00:05"],
  ])("%s are round and stand apart", (_, from, to, label) => {
    const ticks = new TimeScale(from, to, 900).ticks(90);
    expect(ticks.map((tick) => tick.label)).toContain(label);
    for (let i = 1; i < ticks.length; i++) expect((ticks[i]?.x ?? 0) - (ticks[i - 1]?.x ?? 0)).toBeGreaterThan(60);
  });

  it("all_of_recorded_history_has_few_ticks", () => {
    expect(new TimeScale("0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", 900).ticks(90).length).toBeLessThanOrEqual(12);
  });
});
