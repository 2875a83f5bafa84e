/** The text of a question from the fields of a form. What it means, the host says. */

export const KINDS = [
  { kind: "count", label: "How many" },
  { kind: "list", label: "Which" },
  { kind: "value", label: "What was" },
  { kind: "sum", label: "The sum of" },
  { kind: "avg", label: "The average of" },
  { kind: "min", label: "The least" },
  { kind: "max", label: "The greatest" },
  { kind: "first", label: "The first time that" },
  { kind: "stay", label: "How long" },
  { kind: "followed", label: "What was not followed" },
] as const;
export type Kind = (typeof KINDS)[number]["kind"];

export const TIMES = [
  { time: "now", label: "after all events", periods: 0 },
  { time: "at", label: "at", periods: 1 },
  { time: "on", label: "on the day", periods: 1 },
  { time: "start", label: "at the start of", periods: 1 },
  { time: "end", label: "at the end of", periods: 1 },
  { time: "during", label: "at some time during", periods: 1 },
  { time: "throughout", label: "all the time during", periods: 1 },
  { time: "average", label: "on average during", periods: 1 },
  { time: "entered", label: "came to be so during", periods: 1 },
  { time: "left", label: "ceased to be so during", periods: 1 },
] as const;
export type TimeWord = (typeof TIMES)[number]["time"];

export const SIGNS = ["=", "!=", "<", "<=", ">", ">="] as const;

export interface Form {
  kind: Kind;
  /** A category, or a stream where the question is about one. */
  of: string;
  /** The field that is measured, or that a stay is in. */
  field: string;
  /** A condition: field, sign and value; an empty field means none. */
  where: string;
  sign: (typeof SIGNS)[number];
  value: string;
  group: string;
  time: TimeWord;
  when: string;
  /** Types of two events, and how long the second has. */
  first: string;
  then: string;
  within: string;
  known: string;
}

export const EMPTY: Form = { kind: "count", of: "", field: "", where: "", sign: "=", value: "", group: "", time: "now", when: "", first: "", then: "", within: "", known: "" };

/** Kinds that are about one stream. */
export const ofStream = (kind: Kind): boolean => kind === "value" || kind === "first";
/** Kinds that name a field. */
export const hasField = (kind: Kind): boolean => ["value", "sum", "avg", "min", "max", "stay"].includes(kind);
/** Kinds that take a condition. */
export const hasWhere = (kind: Kind): boolean => !["value", "stay", "followed"].includes(kind);
export const hasGroup = (form: Form): boolean => ["sum", "avg", "min", "max"].includes(form.kind) || (form.kind === "count" && timesOf("sum").includes(form.time));
export const hasTime = (kind: Kind): boolean => kind !== "first";

/** When each kind can be asked for. */
export function timesOf(kind: Kind): readonly TimeWord[] {
  if (kind === "count" || kind === "list") return TIMES.map((time) => time.time);
  if (kind === "stay" || kind === "followed") return ["now", "during"];
  return ["now", "at", "on", "start", "end"];
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

const WORDS: Record<TimeWord, string> = { now: "", at: "at", on: "on", start: "at start of", end: "at end of", during: "during", throughout: "throughout", average: "on average during", entered: "entered during", left: "left during" };

/** The question that the form says; what is not filled in is left out, so that the host can say what is missing. */
export function questionOf(form: Form): string {
  const of = form.of.trim() === "" ? "" : name(form.of.trim());
  const field = form.field.trim();
  const condition = form.where.trim() === "" ? "" : `${form.where.trim()} ${form.sign} ${literal(form.value)}`;
  const where = condition === "" ? "" : `where ${condition}`;
  const group = hasGroup(form) && form.group.trim() !== "" ? `group by ${form.group.trim()}` : "";
  const time = timesOf(form.kind).includes(form.time) ? form.time : "now";
  const when = time === "now" ? "" : `${WORDS[time]} ${form.when.trim()}`;
  const parts: Record<Kind, string[]> = {
    count: ["count", of, where, group, when],
    list: ["list", of, where, when],
    value: [field, "of", of, when],
    sum: ["sum", field, "of", of, where, group, when],
    avg: ["avg", field, "of", of, where, group, when],
    min: ["min", field, "of", of, where, group, when],
    max: ["max", field, "of", of, where, group, when],
    first: ["first time", condition, "of", of],
    stay: ["how long was", of, "in", field, form.value.trim() === "" ? "" : literal(form.value), ", average, p95", when],
    followed: [of, "where", form.first.trim() === "" ? "" : name(form.first.trim()), "not followed by", form.then.trim() === "" ? "" : name(form.then.trim()), form.within.trim() === "" ? "" : `within ${form.within.trim()}`, when],
  };
  const known = form.known.trim() === "" ? "" : `known ${form.known.trim()}`;
  return [...parts[form.kind], known].filter((part) => part !== "").join(" ").replaceAll(" ,", ",");
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
