/**
 * Offsets of time zones, from the zone data of the web view: for showing times, never for computing with them.
 *
 * A zone is `UTC`, `local` (the machine's own) or a name such as `Europe/Berlin`.
 */

export type Zone = string;

const formats = new Map<Zone, Intl.DateTimeFormat | null>();

function formatOf(zone: Zone): Intl.DateTimeFormat | null {
  let format = formats.get(zone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat("en-US", {
        ...(zone === "local" ? {} : { timeZone: zone }),
        hourCycle: "h23",
        era: "short",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
    } catch {
      format = null;
    }
    formats.set(zone, format);
  }
  return format;
}

/** Whether the web view knows the zone. */
export function isZone(zone: Zone): boolean {
  return zone === "UTC" || (zone !== "" && formatOf(zone) !== null);
}

/** All names that the web view knows. */
export function zoneNames(): string[] {
  return Intl.supportedValuesOf("timeZone");
}

let localName: string | null = null;

/** `local` as a name: `Europe/Berlin`. */
export function nameOfZone(zone: Zone): string {
  if (zone !== "local") return zone;
  // every time on screen asks for it, and the web view takes long to say
  localName ??= formatOf(zone)?.resolvedOptions().timeZone ?? "UTC";
  return localName;
}

/** Seconds that the zone's clocks are ahead of UTC at an instant, in seconds since the epoch. */
export function offsetAt(zone: Zone, seconds: number): number {
  if (zone === "UTC") return 0;
  const format = formatOf(zone);
  if (format === null) return 0;
  const read: Record<string, string> = {};
  for (const part of format.formatToParts(new Date(seconds * 1000))) read[part.type] = part.value;
  const [year, month, day, hour, minute, second] = ["year", "month", "day", "hour", "minute", "second"].map((name) => Number(read[name])) as [number, number, number, number, number, number];
  const local = new Date(0);
  local.setUTCFullYear(read["era"]?.startsWith("B") ? 1 - year : year, month - 1, day);
  local.setUTCHours(hour, minute, second);
  return local.getTime() / 1000 - seconds;
}

/**
 * The instant at which the zone's clocks show a time, both in seconds. A time that clocks show twice is the first
 * of the two; one that they skip is as far behind the gap as it is written into it.
 */
export function fromLocal(zone: Zone, local: number): number {
  const before = local - offsetAt(zone, local - 86_400);
  const after = local - offsetAt(zone, local + 86_400);
  for (const instant of [Math.min(before, after), Math.max(before, after)]) {
    if (instant + offsetAt(zone, instant) === local) return instant;
  }
  return before;
}

/** `+05:30`; seconds only where there are any. `UTC` for UTC itself. */
export function offsetText(zone: Zone, offset: number): string {
  if (zone === "UTC") return "UTC";
  const size = Math.abs(offset);
  const two = (n: number) => String(n).padStart(2, "0");
  const seconds = size % 60 === 0 ? "" : `:${two(size % 60)}`;
  return `${offset < 0 ? "-" : "+"}${two(Math.floor(size / 3600))}:${two(Math.floor(size / 60) % 60)}${seconds}`;
}
