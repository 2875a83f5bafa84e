/**
 * The as-of cursor and the range. The only place that moves them.
 *
 * `at` null is LIVE. A stream's own slider pins a version, which also tells apart events of the same instant;
 * any other move of the cursor lets go of it.
 */

import { endOf, startOf } from "$lib/model/filters";
import { parseInstant, parts, readInstant } from "$lib/model/instant";
import { navigation } from "./navigation.svelte";

const END_OF_DAY = /T23:59:59\.999999999Z$/;

export interface Range {
  from: string;
  to: string;
}

class TimeCursor {
  /** The instant as the wire writes it; `null`: now. */
  get at(): string | null {
    const text = navigation.params["at"];
    return text === undefined ? null : (readInstant(text)?.at ?? null);
  }

  get live(): boolean {
    return this.at === null;
  }

  /** How a day was read: `end of 2024-01-10 (UTC)`. */
  get reading(): string | null {
    const at = this.at;
    if (at === null || !END_OF_DAY.test(at)) return null;
    return `end of ${parts(parseInstant(at) ?? 0n).date} (UTC)`;
  }

  /** Version pinned by the slider of the stream that is open. */
  get version(): number | null {
    const text = navigation.params["v"];
    return navigation.view === "stream" && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
  }

  get range(): Range | null {
    const { from, to } = navigation.params;
    return from !== undefined && to !== undefined ? { from: startOf(from), to: endOf(to) } : null;
  }

  moveTo(at: string): void {
    navigation.patch({ at, v: null });
  }

  backToLive(): void {
    navigation.patch({ at: null, v: null });
  }

  /** Stands on a version of the open stream, and everything else at its instant. */
  moveToVersion(version: number, at: string | null): void {
    navigation.patch({ v: String(version), at });
  }

  select(range: Range | null): void {
    navigation.patch({ from: range?.from ?? null, to: range?.to ?? null });
  }
}

export const timeCursor = new TimeCursor();
