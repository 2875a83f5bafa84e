import { describe, expect, it } from "vitest";
import { compareInstants, earlier, formatInstant, inZones, parseInstant, plusDays, readable, readInstant } from "$lib/model/instant";

describe("instants keep nanoseconds", () => {
  it.each(["2024-01-10T23:59:59.999999999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "1969-12-31T23:59:59.000001Z", "2016-12-23T07:00:00.922540100Z"])("%s", (text) => {
    expect(formatInstant(parseInstant(text) ?? 0n)).toBe(text);
  });
});

it("offsets_are_turned_into_utc", () => {
  expect(formatInstant(parseInstant("2016-12-23T08:00:00.9+01:00") ?? 0n)).toBe("2016-12-23T07:00:00.900Z");
});

it("whole_second_sorts_before_its_fractions", () => {
  expect(compareInstants("2024-01-10T00:00:00Z", "2024-01-10T00:00:00.5Z")).toBe(-1);
  expect(earlier("2024-01-10T00:00:00.5Z", "2024-01-10T00:00:00Z")).toBe("2024-01-10T00:00:00Z");
  expect(earlier(null, "2024-01-10T00:00:00Z")).toBe("2024-01-10T00:00:00Z");
});

describe("what a person types", () => {
  it("date_alone_is_the_end_of_that_day_and_says_so", () => {
    expect(readInstant("2024-01-10")).toEqual({ at: "2024-01-10T23:59:59.999999999Z", reading: "end of 2024-01-10 (UTC)" });
  });
  it("time_without_zone_is_utc_and_says_so", () => {
    expect(readInstant("2024-01-10 14:30")).toEqual({ at: "2024-01-10T14:30:00Z", reading: "no zone typed, taken as UTC" });
  });
  it("readable_text_reads_back", () => {
    const at = "2024-01-10T14:30:00.000001Z";
    expect(readInstant(readable(at))).toEqual({ at, reading: null });
  });
  it.each(["", "yesterday", "2024-02-30", "2024-13-01", "2024-01-10T25:00:00Z", "10/01/2024"])("%j is no time", (text) => {
    expect(readInstant(text)).toBeNull();
  });
});

it("days_are_added_in_utc", () => {
  expect(plusDays("2024-02-28T12:00:00.5Z", 2)).toBe("2024-03-01T12:00:00.500Z");
});

it("hover_text_begins_with_utc", () => {
  expect(inZones("2024-01-10T00:00:00Z")).toMatch(/^2024-01-10 00:00:00 UTC/);
});
