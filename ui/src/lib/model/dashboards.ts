/** What the dashboards' view puts together from what core answers: texts, and where marks are. Computes no value. */

import type { Drawing } from "$lib/bindings/Drawing";
import type { Mark } from "$lib/bindings/Mark";
import type { Plot } from "$lib/bindings/Plot";
import type { PlotCell } from "$lib/bindings/PlotCell";
import type { PlotRow } from "$lib/bindings/PlotRow";

/** A number with the digits before its point in groups; as core prints it. */
export function groupedText(text: string): string {
  const match = /^(-?)(\d+)(\.\d+)?$/.exec(text);
  return match ? `${match[1]}${(match[2] ?? "").replace(/\B(?=(\d{3})+$)/g, ",")}${match[3] ?? ""}` : text;
}

export function shown(cell: PlotCell | undefined): string {
  if (!cell || cell.text === null) return "–";
  return cell.number ? groupedText(cell.text) : cell.text;
}

/** The row that a mark stands for: one more than the last is the rest. */
export function rowOf(plot: Plot, row: number): PlotRow | null {
  return plot.rows[row] ?? (row === plot.rows.length ? plot.rest : null);
}

/** What a mark says: `prod-123, revenue: 5,432.10 USD`. */
export function says(plot: Plot, mark: { row: number; series: number }): string {
  const row = rowOf(plot, mark.row);
  if (row === null) return "";
  if (plot.kind === "timeline") return [row.label, shown(row.cells[0]), row.from, row.to].filter((part) => part !== null && part !== "").join(", ");
  const series = plot.series[mark.series];
  const cell = row.cells[mark.series];
  const name = series && series.name !== "" && series.name !== row.label ? `, ${series.name}` : "";
  const unit = cell?.number && series && series.unit !== "" ? ` ${series.unit}` : "";
  return `${row.label}${name}: ${shown(cell)}${unit}`;
}

/** Headings of the table twin. */
export function headings(plot: Plot): string[] {
  const series = plot.series.map(({ name, unit }) => (unit === "" ? name : `${name} (${unit})`));
  return [plot.heading, ...series, ...(plot.kind === "timeline" ? ["from", "to"] : [])];
}

/** Rows of the table twin, the rest last. */
export function twin(plot: Plot): { row: PlotRow; index: number; cells: { text: string; number: boolean }[] }[] {
  const rows = plot.rest === null ? plot.rows : [...plot.rows, plot.rest];
  return rows.map((row, index) => ({
    row,
    index,
    cells: [
      ...row.cells.map((cell) => ({ text: shown(cell), number: cell.number })),
      ...(plot.kind === "timeline" ? [row.from, row.to].map((time) => ({ text: time ?? "–", number: false })) : []),
    ],
  }));
}

/** The mark beside one, by key: left and right along the rows, up and down through series. */
export function neighbour(marks: readonly Mark[], at: number, key: string): number {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[key];
  if (key === "Home") return 0;
  if (key === "End") return marks.length - 1;
  if (step === undefined) return at;
  return Math.max(0, Math.min(marks.length - 1, at + step));
}

/** A drawing as an address of an image: no markup of data enters the page. */
export function pictureOf(drawing: Drawing | null): string | null {
  return drawing ? `data:image/svg+xml;charset=utf-8,${encodeURIComponent(drawing.svg)}` : null;
}
