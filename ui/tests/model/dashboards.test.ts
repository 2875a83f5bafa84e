import { describe, expect, it } from "vitest";
import type { PanelView } from "$lib/bindings/PanelView";
import type { Plot } from "$lib/bindings/Plot";
import { groupedText, headings, neighbour, pictureOf, says, shown, twin } from "$lib/model/dashboards";

const plot: Plot = {
  kind: "top_k",
  title: "Products",
  axis: "names",
  steps: false,
  zone: "UTC",
  heading: "product",
  series: [{ name: "revenue", unit: "USD" }],
  rows: [{ label: "prod-123", document: "all", path: "products[0]", cells: [{ text: "12345678901234567890.10", number: true }], from: null, to: null }],
  rest: { label: "3 others", document: null, path: "", cells: [{ text: null, number: false }], from: null, to: null },
  rows_count: 4,
  alt: "Products",
};

describe("dashboards", () => {
  it("groups digits and loses none", () => {
    expect(groupedText("12345678901234567890.10")).toBe("12,345,678,901,234,567,890.10");
    expect(["-1234", "999", "1e9", "0.0001"].map(groupedText)).toEqual(["-1,234", "999", "1e9", "0.0001"]);
    expect(shown({ text: "1000", number: false })).toBe("1000");
  });

  it("tells a mark as core does, the rest included", () => {
    expect(says(plot, { row: 0, series: 0 })).toBe("prod-123, revenue: 12,345,678,901,234,567,890.10 USD");
    expect(says(plot, { row: 1, series: 0 })).toBe("3 others, revenue: –");
    expect(says(plot, { row: 2, series: 0 })).toBe("");
  });

  it("has a table twin with the rest last", () => {
    expect(headings(plot)).toEqual(["product", "revenue (USD)"]);
    expect(twin(plot).map(({ row, cells }) => [row.label, ...cells.map((cell) => cell.text)])).toEqual([
      ["prod-123", "12,345,678,901,234,567,890.10"],
      ["3 others", "–"],
    ]);
  });

  it("moves among marks and stops at the ends", () => {
    const mark = { row: 0, series: 0, x_px: 0, y_px: 0, width_px: 1, height_px: 1 };
    const marks = [mark, mark, mark];
    expect(["ArrowRight", "ArrowLeft", "End", "Home", "x"].map((key) => neighbour(marks, 1, key))).toEqual([2, 0, 2, 0, 1]);
    expect(neighbour(marks, 2, "ArrowDown")).toBe(2);
  });

  it("shows a picture as an image, whatever its text holds", () => {
    const panel: PanelView = { source: 0, full: false, plot, empty: null, notes: [], drawing: { svg: "<svg>\"#&</svg>", width_px: 1, height_px: 1, marks: [] } };
    expect(pictureOf(panel.drawing ?? null)).toBe("data:image/svg+xml;charset=utf-8,%3Csvg%3E%22%23%26%3C%2Fsvg%3E");
    expect(pictureOf(null)).toBeNull();
  });
});
