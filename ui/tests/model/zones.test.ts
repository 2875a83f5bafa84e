import { afterEach, expect, it } from "vitest";
import { dayEndingAt, inZones, parseInstant, readable, readInstant, startOf } from "$lib/model/instant";
import { showZone } from "$lib/model/shownZone.svelte";
import { TimeScale } from "$lib/model/timeScale";
import { fromLocal, isZone, offsetAt, offsetText } from "$lib/model/zones";

const seconds = (time: string) => Number((parseInstant(time) ?? 0n) / 1_000_000_000n);
afterEach(() => showZone("UTC"));

it("offset_follows_the_clock_change_of_the_zone", () => {
  expect(offsetText("Europe/Berlin", offsetAt("Europe/Berlin", seconds("2024-03-31T00:59:59Z")))).toBe("+01:00");
  expect(offsetText("Europe/Berlin", offsetAt("Europe/Berlin", seconds("2024-03-31T01:00:00Z")))).toBe("+02:00");
  expect(offsetText("Asia/Kolkata", offsetAt("Asia/Kolkata", 0))).toBe("+05:30");
  expect(offsetText("America/St_Johns", offsetAt("America/St_Johns", seconds("2024-01-01T00:00:00Z")))).toBe("-03:30");
});

it("local_time_that_exists_twice_is_the_first_and_one_that_does_not_is_after_the_gap", () => {
  const at = (text: string) => readInstant(text, "Europe/Berlin")?.at;
  expect(at("2024-10-27 02:30:00")).toBe("2024-10-27T00:30:00Z");
  expect(at("2024-03-31 02:30:00")).toBe("2024-03-31T01:30:00Z");
  expect(at("2024-07-01 12:00")).toBe("2024-07-01T10:00:00Z");
});

it("every_digit_survives_another_zone", () => {
  expect(readable("2024-02-02T14:30:00.000000001Z", "America/New_York")).toBe("2024-02-02 09:30:00.000000001 -05:00");
  expect(readable("9999-12-31T23:59:59Z", "Asia/Tokyo")).toBe("10000-01-01 08:59:59 +09:00");
  expect(readable("0001-01-01T00:00:00Z", "UTC")).toBe("0001-01-01 00:00:00 UTC");
  expect(readable("1969-12-31T23:59:59.5Z", "Europe/Berlin")).toBe("1970-01-01 00:59:59.500 +01:00");
});

it("what_is_shown_can_be_typed_back", () => {
  for (const zone of ["UTC", "Europe/Berlin", "America/St_Johns", "Africa/Monrovia"]) {
    for (const time of ["2024-01-10T23:59:59.999999999Z", "1960-03-04T05:06:07Z", "0001-06-01T00:00:00Z"]) {
      expect([zone, readInstant(readable(time, zone), zone)?.at]).toEqual([zone, time]);
    }
  }
});

it("date_typed_alone_is_the_end_of_that_day_in_the_zone_shown", () => {
  showZone("Europe/Berlin");
  expect(readInstant("2024-03-31")).toEqual({ at: "2024-03-31T21:59:59.999999999Z", reading: "end of 2024-03-31 (Europe/Berlin)" });
  expect(startOf("2024-03-31")).toBe("2024-03-30T23:00:00Z");
  expect(dayEndingAt("2024-03-31T21:59:59.999999999Z")).toBe("2024-03-31");
  expect(dayEndingAt("2024-03-31T23:59:59.999999999Z")).toBeNull();
});

it("hovering_names_utc_and_the_zone_shown", () => {
  showZone("Europe/Berlin");
  expect(inZones("2024-01-01T00:00:00Z")).toContain("2024-01-01 00:00:00 UTC\n2024-01-01 01:00:00 +01:00 (Europe/Berlin");
});

it("ticks_are_round_in_the_zone_shown", () => {
  showZone("Asia/Kolkata");
  const scale = new TimeScale("2024-01-01T00:00:00Z", "2024-01-03T00:00:00Z", 480);
  const labels = scale.ticks(100).map((tick) => tick.label);
  expect(labels).toEqual(["12:00", "2024-01-02", "12:00", "2024-01-03"]);
  showZone("UTC");
  expect(scale.ticks(100).map((tick) => tick.label)).toEqual(["12:00", "2024-01-02", "12:00"]);
});

it("zone_that_nobody_knows_is_none", () => {
  expect([isZone("Europe/Berlin"), isZone("UTC"), isZone("local"), isZone("Mars/Olympus"), isZone("")]).toEqual([true, true, true, false, false]);
  expect(fromLocal("UTC", 5)).toBe(5);
});
