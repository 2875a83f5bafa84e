/** A report's question: address <-> request; and what its file is called. */

import type { ReportRequest } from "$lib/bindings/ReportRequest";
import type { TemplateRow } from "$lib/bindings/TemplateRow";
import { filterFrom, queryOf } from "./filters";
import type { Params } from "./route";

/** Forms of a report's file, by its ending. */
export const FORMS = [
  { id: "pdf", label: "PDF/A", about: "Pages for an archive, PDF/A-3 and PDF/UA, with every row and the question inside." },
  { id: "xlsx", label: "Excel", about: "A workbook: first page, checks and each table on a sheet, cells typed, no digit lost." },
  { id: "csv", label: "CSV", about: "One file a table, and the first page as JSON beside them. Formulas are guarded." },
  { id: "jsonl", label: "JSON Lines", about: "The first page and every row, one object a line, for programs." },
  { id: "html", label: "HTML", about: "One page that opens from the disk, without scripts." },
] as const;
export type Form = (typeof FORMS)[number]["id"];

/** Prefix of a template's settings in the address. */
const SETTING = "set.";

/** Parameters of the address that are this template's own. */
export function settingsIn(params: Params): Record<string, string> {
  return Object.fromEntries(Object.entries(params).flatMap(([key, value]) => (key.startsWith(SETTING) ? [[key.slice(SETTING.length), value]] : [])));
}

/** Patch of the address that chooses a setting, or its default with an empty text. */
export function settingPatch(name: string, value: string): Record<string, string | null> {
  return { [SETTING + name]: value === "" ? null : value };
}

/** Patch of the address for another template: the scope stays, the settings were the other one's. */
export function templatePatch(params: Params, template: string): Record<string, string | null> {
  const settings = Object.keys(params).filter((key) => key.startsWith(SETTING));
  return { template, ...Object.fromEntries(settings.map((key) => [key, null])) };
}

/** What else the question depends on, beside the address. */
export interface Standpoint {
  at: string | null;
  known: number | null;
  zone: string;
  purpose: string;
}

/** The question that the address asks by this template. */
export function requestOf(template: TemplateRow, params: Params, { at, known, zone, purpose }: Standpoint): ReportRequest {
  const filter = filterFrom(params);
  const subject = params["subject"] ?? null;
  const chosen = settingsIn(params);
  const own = template.settings.map((setting) => setting.name.name);
  return {
    template: template.template.name,
    query: { ...queryOf(filter, null, known), direction: "forwards" },
    subject: template.subject === "none" ? null : subject,
    at,
    zone,
    readings: [],
    settings: Object.fromEntries(Object.entries(chosen).filter(([name]) => own.includes(name))),
    purpose: purpose.trim() === "" ? null : purpose.trim(),
    operator: null,
    made_at: null,
    access_log: { state: "not_kept" },
  };
}

/** Parts of the scope that the template needs and the question does not state, in words. */
export function missing(template: TemplateRow, request: ReportRequest): string[] {
  const stated: Record<string, boolean> = {
    actor: request.query.actor !== null,
    stream: request.query.stream !== null,
    period: request.query.from !== null && request.query.to !== null,
    at: request.at !== null,
  };
  const words: Record<string, string> = { actor: "an actor", stream: "a stream", period: "a period: from and to", at: "an as-of: move the Time bar, or type a time there" };
  const needs = template.needs.filter((need) => stated[need] === false).map((need) => words[need] ?? need);
  return template.subject === "required" && request.subject === null ? ["a subject", ...needs] : needs;
}

/** `sox-change-register.pdf`, in a folder. */
export function fileFor(folder: string, template: string, form: Form): string {
  const separator = folder.includes("\\") ? "\\" : "/";
  return `${folder === "" ? "" : folder + separator}${template}.${form}`;
}

/** The path with another form's ending; a name of no form gets one. */
export function withForm(file: string, form: Form): string {
  const bare = file.replace(new RegExp(`\\.(${FORMS.map((known) => known.id).join("|")})$`, "i"), "");
  return `${bare}.${form}`;
}

/** The form that the ending of a path asks for. */
export function formOf(file: string): Form | null {
  const ending = /\.([A-Za-z]+)$/.exec(file.trim())?.[1]?.toLowerCase();
  return FORMS.find((known) => known.id === ending)?.id ?? null;
}
