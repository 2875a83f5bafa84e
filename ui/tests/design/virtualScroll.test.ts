import { expect, it } from "vitest";
import { CAP, VirtualScroll } from "$lib/design/virtualScroll";

const ROWS = 10_000_000;
const huge = () => new VirtualScroll(ROWS, 28, 700);

it("short_list_scrolls_as_the_browser_does", () => {
  const scroll = new VirtualScroll(100, 28, 280);
  scroll.scrolled(560);
  expect([scroll.top, scroll.range()]).toEqual([560, [20, 29]]);
});

it("scrolled_element_stays_under_the_browsers_cap", () => {
  expect(huge().physical).toBe(CAP);
});

it("last_row_of_a_huge_list_is_reached_by_the_thumb", () => {
  const scroll = huge();
  scroll.scrolled(CAP - 700);
  expect(scroll.range()[1]).toBe(ROWS - 1);
});

it("every_row_of_a_huge_list_is_reached_by_small_steps", () => {
  const scroll = huge();
  scroll.scrolled(4_000_000);
  const [first] = scroll.range();
  scroll.scrolled(4_000_028);
  expect(scroll.range()[0]).toBe(first + 1);
});

it("revealing_a_row_shows_it_and_rests_there", () => {
  for (const row of [0, 1, 5_000_000, ROWS - 1]) {
    const scroll = huge();
    const offset = scroll.reveal(row);
    scroll.scrolled(offset);
    const [first, last] = scroll.range();
    expect(row).toBeGreaterThanOrEqual(first);
    expect(row).toBeLessThanOrEqual(last);
  }
});

it("row_in_view_does_not_move_the_list", () => {
  const scroll = new VirtualScroll(100, 28, 280);
  scroll.scrolled(280);
  scroll.reveal(12);
  expect(scroll.top).toBe(280);
});
