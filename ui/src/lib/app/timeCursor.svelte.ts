/**
 * The as-of cursor and the range. The only place that moves them.
 *
 * `at` and `known` null is LIVE. `known` is the log's first so many positions: what was known then. A stream's own slider pins a version, which also tells apart events of the same instant;
 * any other move of the cursor lets go of it.
 */

import { dayEndingAt, endOf, readable, readInstant, startOf } from "$lib/model/instant";
import { grouped } from "$lib/model/numbers";
import { shownZoneName } from "$lib/model/shownZone.svelte";
import { navigation } from "./navigation.svelte";

export interface Range {
  from: string;
  to: string;
}

class TimeCursor {
  /** The instant as the wire writes it; `null`: now. */
  get at(): string | null {
    const text = navigation.params["at"];
    return text === undefined ? null : (readInstant(text, "UTC")?.at ?? null);
  }

  /** Highest position that counts: what the log knew when it held so many events. `null`: all that it knows. */
  get known(): number | null {
    const text = navigation.params["known"];
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
  }

  get live(): boolean {
    return this.at === null && this.known === null;
  }

  /** The as-of in words; empty when live. */
  get words(): string {
    const parts: string[] = [];
    if (this.at !== null) parts.push(`as of ${this.reading ?? readable(this.at)}`);
    if (this.known !== null) parts.push(`as known at position ${grouped(this.known)}`);
    return parts.join(", ");
  }

  /** How a day was read: `end of 2024-01-10 (UTC)`. */
  get reading(): string | null {
    const day = this.at === null ? null : dayEndingAt(this.at);
    return day === null ? null : `end of ${day} (${shownZoneName()})`;
  }

  /** Version pinned by the slider of the stream that is open. */
  get version(): number | null {
    const text = navigation.params["v"];
    return navigation.view === "stream" && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
  }

  get range(): Range | null {
    const { from, to } = navigation.params;
    return from !== undefined && to !== undefined ? { from: startOf(from, "UTC"), to: endOf(to, "UTC") } : null;
  }

  moveTo(at: string): void {
    navigation.patch({ at, v: null });
  }

  /** Lets go of the instant; what was known stays as it is. */
  toNow(): void {
    navigation.patch({ at: null, v: null });
  }

  /** Everything that has happened and is known. */
  backToLive(): void {
    navigation.patch({ at: null, known: null, v: null });
  }

  /** Knows only the log's first `known` events; `null`: everything. */
  know(known: number | null): void {
    navigation.patch({ known: known === null ? null : String(known), v: null });
  }

  /** Stands on a version of the open stream, and everything else at its instant. */
  moveToVersion(version: number, at: string | null): void {
    navigation.patch({ v: String(version), at, known: null });
  }

  select(range: Range | null): void {
    navigation.patch({ from: range?.from ?? null, to: range?.to ?? null });
  }
}

export const timeCursor = new TimeCursor();
