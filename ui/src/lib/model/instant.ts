/**
 * Instants to the nanosecond, as the wire writes them (RFC 3339, UTC) and as people read them.
 *
 * Nanoseconds since the epoch as `bigint`: JavaScript's own `Date` stops at milliseconds.
 * Left out: zones other than UTC and the machine's own.
 */

export type Nanos = bigint;

const PATTERN = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|z|UTC|[+-]\d{2}:?\d{2})?$/;
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
export const SECOND: Nanos = 1_000_000_000n;
export const DAY_NS: Nanos = 86_400n * SECOND;

/** Parses a wire time; `null` if it is none. */
export function parseInstant(text: string): Nanos | null {
  const m = PATTERN.exec(text.trim());
  if (!m?.[8]) return null;
  return assemble(m, m[8]);
}

function assemble(m: RegExpExecArray, zone: string): Nanos | null {
  const [year, month, day, hour, minute] = [m[1], m[2], m[3], m[4], m[5]].map(Number) as [number, number, number, number, number];
  const second = Number(m[6] ?? 0);
  const base = utcSeconds(year, month, day, hour, minute, second);
  if (base === null) return null;
  const fraction = BigInt((m[7] ?? "").padEnd(9, "0"));
  return (BigInt(base) - BigInt(offsetSeconds(zone))) * SECOND + fraction;
}

function offsetSeconds(zone: string): number {
  if (/^(Z|z|UTC)$/.test(zone)) return 0;
  const sign = zone.startsWith("-") ? -1 : 1;
  const digits = zone.replace(/[^\d]/g, "");
  return sign * (Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4)) * 60);
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
  const { date, clock, fraction } = parts(ns);
  return `${date}T${clock}${fraction}Z`;
}

export interface InstantParts {
  /** `2024-01-10` */
  date: string;
  /** `23:59:59` */
  clock: string;
  /** `.999`, empty if the second is whole. */
  fraction: string;
}

/** Splits an instant for display in UTC. */
export function parts(ns: Nanos): InstantParts {
  const sub = ((ns % SECOND) + SECOND) % SECOND;
  const seconds = Number((ns - sub) / SECOND);
  const iso = new Date(seconds * 1000).toISOString();
  const digits = sub.toString().padStart(9, "0");
  let fraction = "";
  if (sub !== 0n) fraction = `.${digits.endsWith("000000") ? digits.slice(0, 3) : digits.endsWith("000") ? digits.slice(0, 6) : digits}`;
  // years before 0 or after 9999 do not occur: toISOString has four digits
  return { date: iso.slice(0, 10), clock: iso.slice(11, 19), fraction };
}

/** `2024-01-10 23:59:59.999 UTC`, every digit. */
export function readable(time: string): string {
  const ns = parseInstant(time);
  if (ns === null) return time;
  const { date, clock, fraction } = parts(ns);
  return `${date} ${clock}${fraction} UTC`;
}

/** The same instant in UTC and in the machine's zone with its offset: for hovering. */
export function bothZones(time: string): string {
  const ns = parseInstant(time);
  if (ns === null) return time;
  const date = new Date(Number(ns / 1_000_000n));
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString();
  const sign = offset < 0 ? "-" : "+";
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  const zone = `${sign}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${readable(time)}\n${local.slice(0, 10)} ${local.slice(11, 19)} ${zone} local (${name})`;
}

export interface Reading {
  /** The instant as the wire writes it. */
  at: string;
  /** How the text was read where it left a choice. */
  reading: string | null;
}

/**
 * Reads what a person types. A date alone is the end of that day, a time without zone is UTC; both say so.
 */
export function readInstant(text: string): Reading | null {
  const typed = text.trim();
  const day = DAY.exec(typed);
  if (day) {
    const base = utcSeconds(Number(day[1]), Number(day[2]), Number(day[3]), 0, 0, 0);
    if (base === null) return null;
    return { at: formatInstant(BigInt(base) * SECOND + DAY_NS - 1n), reading: `end of ${typed} (UTC)` };
  }
  const m = PATTERN.exec(typed);
  if (!m) return null;
  const ns = assemble(m, m[8] ?? "Z");
  if (ns === null) return null;
  return { at: formatInstant(ns), reading: m[8] ? null : "no zone typed, taken as UTC" };
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
