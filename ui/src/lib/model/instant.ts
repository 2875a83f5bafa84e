/**
 * Instants to the nanosecond, as the wire writes them (RFC 3339, UTC) and as people read them.
 *
 * Nanoseconds since the epoch as `bigint`: JavaScript's own `Date` stops at milliseconds.
 * What is shown or typed is in the zone that is shown; addresses and the wire are UTC.
 */

import { shownZone } from "./shownZone.svelte";
import { fromLocal, nameOfZone, offsetAt, offsetText, type Zone } from "./zones";

export type Nanos = bigint;

const PATTERN = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|z|UTC|[+-]\d{2}:?\d{2}(?::\d{2})?)?$/;
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
export const SECOND: Nanos = 1_000_000_000n;
export const DAY_NS: Nanos = 86_400n * SECOND;

/** Times parsed last: those on screen are asked for again and again while something moves. */
const parsed = new Map<string, Nanos | null>();
const MOST_PARSED = 2_000;

/** Parses a wire time; `null` if it is none. */
export function parseInstant(text: string): Nanos | null {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const m = PATTERN.exec(text.trim());
  const ns = m?.[8] ? assemble(m, m[8], "UTC") : null;
  if (parsed.size >= MOST_PARSED) parsed.clear();
  parsed.set(text, ns);
  return ns;
}

/** `written` is the zone of the text, `zone` the one meant where it names none. */
function assemble(m: RegExpExecArray, written: string | undefined, zone: Zone): Nanos | null {
  const [year, month, day, hour, minute] = [m[1], m[2], m[3], m[4], m[5]].map(Number) as [number, number, number, number, number];
  const second = Number(m[6] ?? 0);
  const base = utcSeconds(year, month, day, hour, minute, second);
  if (base === null) return null;
  const fraction = BigInt((m[7] ?? "").padEnd(9, "0"));
  const seconds = written === undefined ? fromLocal(zone, base) : base - offsetSeconds(written);
  return BigInt(seconds) * SECOND + fraction;
}

function offsetSeconds(zone: string): number {
  if (/^(Z|z|UTC)$/.test(zone)) return 0;
  const sign = zone.startsWith("-") ? -1 : 1;
  const digits = zone.replace(/[^\d]/g, "");
  return sign * (Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4)) * 60 + Number(digits.slice(4, 6)));
}

function utcSeconds(year: number, month: number, day: number, hour: number, minute: number, second: number): number | null {
  if (year < 1 || hour > 23 || minute > 59 || second > 60) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
}

/** Prints as the wire does: RFC 3339 in UTC with 0, 3, 6 or 9 digits of the second. */
export function formatInstant(ns: Nanos): string {
  const { date, clock, fraction } = parts(ns, "UTC");
  return `${date}T${clock}${fraction}Z`;
}

export interface InstantParts {
  /** `2024-01-10` */
  date: string;
  /** `23:59:59` */
  clock: string;
  /** `.999`, empty if the second is whole. */
  fraction: string;
  /** `UTC` or `+01:00`. */
  offset: string;
}

/** Splits an instant for display. */
export function parts(ns: Nanos, zone: Zone = shownZone()): InstantParts {
  const sub = ((ns % SECOND) + SECOND) % SECOND;
  const seconds = Number((ns - sub) / SECOND);
  const ahead = offsetAt(zone, seconds);
  const iso = new Date((seconds + ahead) * 1000).toISOString();
  const digits = sub.toString().padStart(9, "0");
  let fraction = "";
  if (sub !== 0n) fraction = `.${digits.endsWith("000000") ? digits.slice(0, 3) : digits.endsWith("000") ? digits.slice(0, 6) : digits}`;
  const [date = "", clock = ""] = iso.split("T");
  // a year past 9999 is written with a sign and six digits; the last hours of 9999 reach it in eastern zones
  return { date: date.replace(/^\+0/, ""), clock: clock.slice(0, 8), fraction, offset: offsetText(zone, ahead) };
}

/** `2024-01-10 23:59:59.999 UTC`, every digit. */
export function readable(time: string, zone: Zone = shownZone()): string {
  const ns = parseInstant(time);
  if (ns === null) return time;
  const { date, clock, fraction, offset } = parts(ns, zone);
  return `${date} ${clock}${fraction} ${offset}`;
}

/** The same instant in UTC, in the zone shown and in the machine's own: for hovering. */
export function inZones(time: string): string {
  if (parseInstant(time) === null) return time;
  const others = [shownZone(), "local"].map(nameOfZone).filter((name) => name !== "UTC");
  return [readable(time, "UTC"), ...[...new Set(others)].map((name) => `${readable(time, name)} (${name}${name === nameOfZone("local") ? ", local" : ""})`)].join("\n");
}

export interface Reading {
  /** The instant as the wire writes it. */
  at: string;
  /** How the text was read where it left a choice. */
  reading: string | null;
}

/**
 * Reads what a person types. A date alone is the end of that day, a time without zone is in the zone shown; both
 * say so.
 */
export function readInstant(text: string, zone: Zone = shownZone()): Reading | null {
  const typed = text.trim();
  const day = DAY.exec(typed);
  if (day) {
    const [year, month, date] = [Number(day[1]), Number(day[2]), Number(day[3])];
    const base = utcSeconds(year, month, date, 0, 0, 0);
    if (base === null) return null;
    return { at: formatInstant(BigInt(fromLocal(zone, base + 86_400)) * SECOND - 1n), reading: `end of ${typed} (${nameOfZone(zone)})` };
  }
  const m = PATTERN.exec(typed);
  if (!m) return null;
  const ns = assemble(m, m[8], zone);
  if (ns === null) return null;
  return { at: formatInstant(ns), reading: m[8] ? null : `no zone typed, taken as ${nameOfZone(zone)}` };
}

/** The earliest instant that a text means: of a date alone, its start. A text that is no time stays, for the host to refuse. */
export function startOf(text: string, zone: Zone = shownZone()): string {
  return readInstant(DAY.test(text.trim()) ? `${text.trim()}T00:00:00` : text, zone)?.at ?? text;
}

/** The latest instant that a text means: of a date alone, its end. */
export function endOf(text: string, zone: Zone = shownZone()): string {
  return readInstant(text, zone)?.at ?? text;
}

/** `2024-01-10` if the instant is the last of a day of the zone shown. */
export function dayEndingAt(time: string, zone: Zone = shownZone()): string | null {
  const ns = parseInstant(time);
  if (ns === null || parts(ns + 1n, zone).clock !== "00:00:00" || parts(ns + 1n, zone).fraction !== "") return null;
  return parts(ns, zone).date;
}

/** -1, 0 or 1; a text that is no time sorts first. */
export function compareInstants(a: string, b: string): number {
  const [x, y] = [parseInstant(a) ?? -(10n ** 30n), parseInstant(b) ?? -(10n ** 30n)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The earlier of two, where `null` is no limit. */
export function earlier(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return compareInstants(a, b) <= 0 ? a : b;
}

/** Moves by whole days. */
export function plusDays(time: string, days: number): string {
  const ns = parseInstant(time);
  return ns === null ? time : formatInstant(ns + BigInt(days) * DAY_NS);
}
