/** The mock's reports: two templates, pages that are drawn, files that are not written. */

import type { RecentReport } from "$lib/bindings/RecentReport";
import type { ReportRequest } from "$lib/bindings/ReportRequest";
import type { TemplateRow } from "$lib/bindings/TemplateRow";
import type { TemplatesView } from "$lib/bindings/TemplatesView";
import type { ReportMakeArgs } from "../commands";
import { HostError } from "../errors";
import { ticks, type Running } from "./long";

const TEMPLATES: TemplateRow[] = [
  template("audit-trail", "Audit trail", "Any", "Who changed what, when, why, from which value to which.", "none", []),
  template("sox-change-register", "SOX change register", "SOX 404 / ITGC", "Changes, and those that their maker approved.", "none", [
    { name: { name: "sample", value: "Changes in the sample" }, default: "25", choices: [] },
    { name: { name: "order", value: "Order of the sample" }, default: "time", choices: ["time", "amount"] },
  ]),
  template("gdpr-subject", "GDPR subject dossier", "GDPR Art. 15", "Everything that is recorded about a person.", "required", []),
];

function template(name: string, title: string, regime: string, about: string, subject: string, settings: TemplateRow["settings"]): TemplateRow {
  return { template: { name, version: "1", hash: "5a".repeat(32), origin: "shipped" }, title, regime, about, subject, layout: "report", needs: [], settings };
}

export class MockReports {
  private preview = 0;
  private title = "";
  private made: RecentReport[] = [
    { file: "/home/you/Annals/audit-2024-Q1.pdf", title: "Audit trail", template: "audit-trail", store: "/home/you/Annals/guide.annals", made_at: "2026-11-22T09:14:00Z", exists: true },
    { file: "/media/usb/gone.xlsx", title: "SOX change register", template: "sox-change-register", store: "/home/you/Annals/guide.annals", made_at: "2026-11-20T10:00:00Z", exists: false },
  ];

  templates(): TemplatesView {
    return { templates: TEMPLATES, broken: [{ name: "own.toml", line: 3, column: 1, message: "unknown field `tittle`", hint: "Write title." }] };
  }

  look(request: ReportRequest, events: number) {
    const row = TEMPLATES.find((known) => known.template.name === request.template);
    if (!row) throw new HostError("bad_input", `there is no report template "${request.template}"`);
    this.title = row.title;
    const sizes: [number, number][] = [[595.28, 841.89], [595.28, 841.89], [841.89, 595.28]];
    return { preview: ++this.preview, title: row.title, hash: "4d".repeat(32), pages: sizes, rows: events, shown: Math.min(events, 120), events, exceptions: row.settings.length, findings: 1 };
  }

  page(preview: number, page: number) {
    if (preview !== this.preview) return { svg: "" };
    const [width, height] = page === 2 ? [842, 595] : [595, 842];
    const line = (y: number, of: number) => `<rect x="48" y="${y}" width="${of}" height="7" fill="#5b636b"/>`;
    const lines = Array.from({ length: 14 }, (_, n) => line(130 + n * 18, 160 + ((n * 97) % 320))).join("");
    return { svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"><rect width="${width}" height="${height}" fill="#fff"/><text x="48" y="90" font-size="22">${page === 0 ? this.title : `Page ${page + 1}`}</text>${lines}</svg>` };
  }

  async make({ request, file }: ReportMakeArgs, events: number, progress: (value: unknown) => void, running: Running) {
    if (!/\.(pdf|xlsx|csv|jsonl|html)$/i.test(file)) throw new HostError("bad_input", `the name of ${file} says no form`);
    await ticks(running, (share) => progress({ done: Math.round(events * share), total: events }));
    const title = this.look(request, events).title;
    this.made = [{ file, title, template: request.template, store: "/home/you/Annals/guide.annals", made_at: "2026-11-26T02:00:00Z", exists: true }, ...this.made.filter((report) => report.file !== file)];
    return { report: null, hash: "4d".repeat(32), files: (file.endsWith(".csv") ? [file, file.replace(/csv$/, "report.json")] : [file]).map((written) => ({ file: written, holds: "pages", bytes: 233_058, sha256: "5f".repeat(32) })), left_out: events > 200 ? ["200 of the rows are on the pages; all of them are in the files inside the PDF."] : [] };
  }

  recent() {
    return { reports: this.made };
  }

  reveal(path: string) {
    if (!this.made.some((report) => report.file === path)) throw new HostError("bad_input", `${path} is no report that was made here`);
    return null;
  }
}
