import { render, screen } from "@testing-library/svelte";
import { expect, it } from "vitest";
import Facets from "$lib/features/streams/Facets.svelte";

const categories = Array.from({ length: 1_000 }, (_, n) => ({ name: `c${n}`, streams: 1, events: 1 }));
const listed = () => screen.getAllByTestId("streams-category").map((row) => row.dataset["category"]);

it("many_categories_are_listed_in_part_which_is_said_and_the_chosen_one_is_among_them", () => {
  render(Facets, { categories, total: 1_000, selected: "c900", onselect: () => undefined, at: null, known: null });
  expect(listed()).toEqual([...categories.slice(0, 200).map((row) => row.name), "c900"]);
  expect(screen.getByTestId("streams-category-rest").textContent).toContain("799 more categories are not listed");
  expect(screen.getByTestId("streams-category-field")).toBeTruthy();
});

it("few_categories_are_all_listed", () => {
  render(Facets, { categories: categories.slice(0, 200), total: 200, selected: null, onselect: () => undefined, at: null, known: null });
  expect(listed().length).toBe(200);
  expect(screen.queryByTestId("streams-category-rest")).toBeNull();
});
