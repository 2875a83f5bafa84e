/** Keyboard and buttons: from one distinct instant of the log to the next. */

import { session } from "$lib/app/session.svelte";
import { timeCursor } from "$lib/app/timeCursor.svelte";
import { host } from "$lib/host/client";
import { WHOLE_LOG } from "$lib/model/filters";
import { compareInstants, plusDays } from "$lib/model/instant";

let pending = 0;
let running = false;

/** Steps to the next (1) or previous (-1) distinct instant. Keys pressed meanwhile add up. */
export async function stepInstant(direction: 1 | -1): Promise<void> {
  pending += direction;
  if (running) return;
  running = true;
  try {
    while (pending !== 0) {
      const forward = pending > 0;
      pending += forward ? -1 : 1;
      const from = timeCursor.at ?? session.info?.last_time;
      if (!from || (forward && timeCursor.at === null)) continue;
      const { before, after } = await host.neighbours(from, WHOLE_LOG);
      const target = forward ? after : before;
      if (target !== null) timeCursor.moveTo(target);
      else if (forward) timeCursor.toNow();
    }
  } finally {
    running = false;
    pending = 0;
  }
}

/** Moves by whole days, kept inside the log; past its end is live. */
export function stepDays(days: number, first: string, last: string): void {
  if (timeCursor.at === null && days > 0) return;
  const target = plusDays(timeCursor.at ?? last, days);
  if (compareInstants(target, last) > 0) timeCursor.toNow();
  else timeCursor.moveTo(compareInstants(target, first) < 0 ? first : target);
}
