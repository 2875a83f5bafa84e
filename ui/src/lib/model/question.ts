/** The text of a question from the fields of a form. What a text means, and its fields, the host says. */

import type { ConditionForm } from "$lib/bindings/ConditionForm";
import type { QuestionForm } from "$lib/bindings/QuestionForm";
import type { SavedQuestion } from "$lib/bindings/SavedQuestion";

export const KINDS = [
  { kind: "count", label: "How many" },
  { kind: "list", label: "Which" },
  { kind: "value", label: "What was" },
  { kind: "sum", label: "The sum of" },
  { kind: "avg", label: "The average of" },
  { kind: "min", label: "The least" },
  { kind: "max", label: "The greatest" },
  { kind: "first", label: "The first time that" },
  { kind: "last", label: "The last time that" },
  { kind: "stay", label: "How long" },
  { kind: "followed", label: "What was followed, or not" },
] as const;
export type Kind = (typeof KINDS)[number]["kind"];

export const TIMES = [
  { time: "now", label: "after all events" },
  { time: "at", label: "at" },
  { time: "on", label: "on the day" },
  { time: "start", label: "at the start of" },
  { time: "end", label: "at the end of" },
  { time: "during", label: "during" },
  { time: "any", label: "at some time during" },
  { time: "throughout", label: "all the time during" },
  { time: "average", label: "on average during" },
  { time: "entered", label: "came to be so during" },
  { time: "left", label: "ceased to be so during" },
] as const;
export type TimeWord = (typeof TIMES)[number]["time"];

export const SIGNS = ["=", "!=", "<", "<=", ">", ">=", "in", "is missing", "is present"] as const;
/** What can be said of stays beside the percentiles. */
export const STATISTICS = ["count", "average", "min", "max", "total", "median", "p95"] as const;
export const UNITS = ["day", "month", "year"] as const;

export type Form = QuestionForm;

export const CONDITION: ConditionForm = { not: false, field: "", sign: "=", value: "" };
export const EMPTY: Form = { kind: "count", of: "", of_stream: false, field: "", conditions: [CONDITION], any: false, condition: null, active: false, group: "", time: "now", when: "", value: "", statistics: ["average", "p95"], by: "", first: "", then: "", not: true, within: "", known: "" };

const MEASURES = ["sum", "avg", "min", "max"];
/** Kinds that are about one stream. */
export const ofStream = (form: Form): boolean => ["value", "first", "last"].includes(form.kind) || (form.kind === "stay" && form.of_stream);
/** Kinds that name a field. */
export const hasField = (kind: string): boolean => kind === "value" || kind === "stay" || MEASURES.includes(kind);
/** Kinds that take a condition. */
export const hasWhere = (form: Form): boolean => !["value", "stay", "followed"].includes(form.kind) && !(canBeActive(form.kind) && form.active);
/** Kinds that can be about streams with an event. */
export const canBeActive = (kind: string): boolean => kind === "count" || kind === "list";
export const hasGroup = (form: Form): boolean => MEASURES.includes(form.kind) || (form.kind === "count" && !form.active && timesOf("sum").includes(form.time as TimeWord));
export const hasTime = (kind: string): boolean => kind !== "first" && kind !== "last";
export const hasValue = (sign: string): boolean => !sign.startsWith("is ");

/** When each kind can be asked for. */
export function timesOf(kind: string, active = false): readonly TimeWord[] {
  if (active && canBeActive(kind)) return ["during", "on"];
  if (canBeActive(kind)) return TIMES.map((time) => time.time);
  if (kind === "stay" || kind === "followed") return ["now", "during"];
  return ["now", "at", "on", "start", "end"];
}

/** The form with what was chosen, and with a time that its kind can be asked for. */
export function changed(form: Form, change: Partial<Form>): Form {
  const next = { ...form, ...change };
  const times = timesOf(next.kind, next.active);
  if (!times.includes(next.time as TimeWord)) next.time = times[0] ?? "now";
  if (next.conditions.length === 0 && next.condition === null) next.conditions = [CONDITION];
  return next;
}

/** A name as a question writes it: in quotes unless it is a plain word. */
export function name(text: string): string {
  return /^[\p{L}\p{N}_][\p{L}\p{N}_.:/@#+~$%&*-]*$/u.test(text) && !text.endsWith(".") ? text : JSON.stringify(text);
}

/** A value as a question writes it: numbers, truths and quoted texts as they are, anything else as a text. */
export function literal(text: string): string {
  const plain = text.trim();
  if (/^(-?\d+(\.\d+)?([eE][+-]?\d+)?|true|false)$/.test(plain) || /^".*"$/s.test(plain) || /^'[^']*'$/s.test(plain)) return plain;
  return JSON.stringify(text);
}

/** Values with commas between them; a comma in quotes is one of the value. */
export function literals(text: string): string {
  const parts = text.match(/"(?:[^"\\]|\\.)*"|'[^']*'|[^,\s][^,]*/g) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== "").map(literal).join(", ");
}

function conditionOf({ not, field, sign, value }: ConditionForm): string {
  const path = field.trim();
  if (path === "") return "";
  const compared = !hasValue(sign) ? `${path} ${sign}` : sign === "in" ? `${path} in (${literals(value)})` : `${path} ${sign} ${literal(value)}`;
  return not ? `not (${compared})` : compared;
}

const WORDS: Record<string, string> = { now: "", at: "at", on: "on", start: "at start of", end: "at end of", during: "during", any: "at any time during", throughout: "throughout", average: "on average during", entered: "entered during", left: "left during" };

/** The question that the form says; what is not filled in is left out, so that the host can say what is missing. */
export function questionOf(form: Form): string {
  const given = (text: string, word = "") => (text.trim() === "" ? "" : `${word}${text.trim()}`);
  const named = (text: string) => (text.trim() === "" ? "" : name(text.trim()));
  const of = named(form.of);
  const field = form.field.trim();
  const all = form.conditions.map(conditionOf).filter((condition) => condition !== "");
  const condition = form.condition ?? all.join(form.any ? " or " : " and ");
  const where = form.active && canBeActive(form.kind) ? "active" : condition.trim() === "" ? "" : `where ${condition.trim()}`;
  const group = hasGroup(form) ? given(form.group, "group by ") : "";
  const time = timesOf(form.kind, form.active).includes(form.time as TimeWord) ? form.time : "now";
  const when = time === "now" ? "" : `${WORDS[time] ?? ""} ${form.when.trim()}`;
  const measured = [form.kind, field, "of", of, where, group, when];
  const stayed = ["how long was", form.of_stream ? "stream" : "", of, "in", field, form.value.trim() === "" ? "" : literal(form.value), ...form.statistics.map((statistic) => `, ${statistic}`), given(form.by, ", by "), when];
  const parts: Record<Kind, string[]> = {
    count: ["count", of, where, group, when],
    list: ["list", of, where, when],
    value: [field, "of", of, when],
    sum: measured,
    avg: measured,
    min: measured,
    max: measured,
    first: ["first time", condition, "of", of],
    last: ["last time", condition, "of", of],
    stay: stayed,
    followed: [of, "where", named(form.first), form.not ? "not followed by" : "followed by", named(form.then), given(form.within, "within "), when],
  };
  const kind = KINDS.find((known) => known.kind === form.kind)?.kind ?? "count";
  return [...parts[kind], given(form.known, "known ")].filter((part) => part !== "").join(" ").replaceAll(" ,", ",");
}

/** Questions by the folder that they are kept in; those in none first. */
export function byFolder(kept: readonly SavedQuestion[]): { folder: string; questions: SavedQuestion[] }[] {
  const folders = new Map<string, SavedQuestion[]>([["", []]]);
  for (const question of kept) {
    const folder = question.name.includes("/") ? question.name.slice(0, question.name.lastIndexOf("/")) : "";
    folders.set(folder, [...(folders.get(folder) ?? []), question]);
  }
  return [...folders].filter(([, questions]) => questions.length > 0).map(([folder, questions]) => ({ folder, questions }));
}

/** A text in three parts: before a place, at it, and after it. The place counts characters from 1. */
export function around(text: string, at: number, length: number): [string, string, string] {
  const characters = [...text];
  return [characters.slice(0, at - 1).join(""), characters.slice(at - 1, at - 1 + length).join(""), characters.slice(at - 1 + length).join("")];
}

/** Seconds as days and a clock, for beside the exact number: `3 d 04:05:06`. */
export function spoken(seconds: number): string {
  const whole = Math.floor(Math.abs(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const clock = `${two(Math.floor(whole / 3600) % 24)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  const days = Math.floor(whole / 86_400);
  return `${seconds < 0 ? "−" : ""}${days > 0 ? `${String(days)} d ` : ""}${clock}`;
}
