/** Where the reader stands in a stream, in words and for the host. */

import type { StateView } from "$lib/bindings/StateView";
import type { MomentArgs } from "$lib/bindings/MomentArgs";
import { readable } from "$lib/model/instant";
import { grouped } from "$lib/model/numbers";

/** A pinned version, else the as-of, else now. */
export function moment(version: number | null, at: string | null, known: number | null): MomentArgs {
  if (version !== null) return { version };
  return { ...(at === null ? {} : { at }), ...(known === null ? {} : { known: String(known) }) };
}

/** What an answer says of itself; a state also names its last event. */
type Answer = Pick<StateView, "as_of" | "reading"> & Partial<Pick<StateView, "last_event">>;

/** The as-of that an answer is for, said by the answer itself. */
export function answersFor(state: Answer): string {
  const { at, known } = state.as_of;
  if (at === null && known === null) return "live: all its events";
  if (at === null && known === 0) return "before the first event";
  const parts: string[] = [];
  if (at !== null) parts.push(`as of ${state.reading ?? readable(at)}`);
  if (known !== null) parts.push(`${at === null ? "as of" : "known at"} position ${grouped(known)}`);
  if (at === null && state.last_event) parts.push(readable(state.last_event.time));
  return parts.join(", ");
}
