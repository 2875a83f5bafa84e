import { expect, it } from "vitest";
import type { Mapping } from "$lib/bindings/Mapping";
import { assign, columnTemplate, keptAs, placesOf, wordsOf } from "$lib/model/mapping";

const mapping: Mapping = {
  delimiter: ";",
  types: {},
  reshape: [],
  event: { stream: "order-{id}", type: "{activity}", time: "{date} {clock}", actor: "" },
  columns: [
    { name: "id", into: "none", kind: "text" },
    { name: "activity", into: "none", kind: "text" },
    { name: "amount", into: "data", kind: "number" },
    { name: "note", into: "none", kind: "text" },
  ],
};

it("column_that_takes_a_place_is_that_places_whole_template", () => {
  const next = assign(mapping, "amount", { kind: "place", place: "actor" });
  expect(next.event.actor).toBe("{amount}");
  expect(next.columns[2]).toEqual({ name: "amount", into: "none", kind: "number" });
  expect(next.delimiter).toBe(";");
});

it("column_that_gets_another_use_leaves_the_place_that_it_filled_alone", () => {
  const next = assign(mapping, "activity", { kind: "data", cells: "text" });
  expect([next.event.type, keptAs(next, "activity")]).toEqual(["", { kind: "data", cells: "text" }]);
});

it("template_that_joins_columns_stays_as_it_was_typed", () => {
  const next = assign(mapping, "id", { kind: "metadata" });
  expect([next.event.stream, placesOf(next, "id").joined]).toEqual(["order-{id}", ["stream"]]);
});

it("column_that_the_mapping_does_not_list_is_listed_when_it_gets_a_use", () => {
  const next = assign(mapping, "date", { kind: "none" });
  expect(next.columns.at(-1)).toEqual({ name: "date", into: "none", kind: "text" });
});

it("braces_in_a_name_are_escaped", () => {
  expect(columnTemplate("a{b}\\c")).toBe("{a\\{b\\}\\\\c}");
});

it("use_is_told_in_words", () => {
  expect(["id", "activity", "amount", "note", "unlisted"].map((name) => wordsOf(mapping, name))).toEqual([
    ["part of stream"],
    ["type"],
    ["number"],
    ["left out"],
    ["text"],
  ]);
});
