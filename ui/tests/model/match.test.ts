import { expect, it } from "vitest";
import { bestOf, fit } from "$lib/model/match";

it("every_word_typed_must_occur", () => {
  expect(fit("dark theme", "Theme: dark")).not.toBeNull();
  expect(fit("dark order", "Theme: dark")).toBeNull();
});

it("beginnings_win_over_middles_and_short_texts_over_long_ones", () => {
  const names = ["BackOrderPlaced", "Reorder", "OrderPlacedTwice", "OrderPlaced", "Shipment"];
  expect(bestOf("order", names, (name) => name, 9)).toEqual(["OrderPlaced", "OrderPlacedTwice", "BackOrderPlaced", "Reorder"]);
});

it("nothing_typed_fits_everything_in_its_order", () => {
  expect(bestOf("", ["aa", "bb", "cc"], (name) => name, 2)).toEqual(["aa", "bb"]);
});
