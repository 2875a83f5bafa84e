import { expect, it } from "vitest";
import { visible, visibleRuns } from "$lib/model/visible";

it.each([
  ["bidi override", "user\u202Enimda", "user‹U+202E›nimda"],
  ["isolate", "a\u2066b\u2069", "a‹U+2066›b‹U+2069›"],
  ["zero width space", "pay\u200Bpal", "pay‹U+200B›pal"],
  ["bell", "x\u0007", "x‹U+0007›"],
  ["nul", "\u0000", "‹U+0000›"],
  ["c1 control", "\u0085", "‹U+0085›"],
  ["byte order mark", "\uFEFFx", "‹U+FEFF›x"],
  ["tag character", "x\u{E0041}", "x‹U+E0041›"],
  ["lone surrogate", "x\uD800y", "x‹U+D800›y"],
  ["line feed", "a\nb", "a‹U+000A›b"],
])("%s is shown by its code", (_, text, shown) => {
  expect(visible(text)).toBe(shown);
});

it.each(["plain", "Zürich 東京", "👍 𝒳", ""])("%j stays as it is", (text) => {
  expect(visible(text)).toBe(text);
});

it("lines_and_tabs_are_kept_where_asked_for", () => {
  expect(visible("a\n\tb\r", true)).toBe("a\n\tb‹U+000D›");
});

it("codes_are_told_from_text_that_looks_like_them", () => {
  expect(visibleRuns("‹U+202E›")).toEqual([{ text: "‹U+202E›", code: false }]);
  expect(visibleRuns("\u202E")).toEqual([{ text: "‹U+202E›", code: true }]);
});
