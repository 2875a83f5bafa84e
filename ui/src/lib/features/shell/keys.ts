/** Keys that work everywhere but in text fields. */

import { navigation } from "$lib/app/navigation.svelte";
import { NEEDS_NO_STORE, session } from "$lib/app/session.svelte";
import { wishes } from "$lib/app/wish.svelte";
import type { ViewName } from "$lib/model/route";

const GO: Record<string, ViewName> = { o: "overview", s: "streams", e: "events", q: "questions", c: "sql", m: "models", d: "dashboards", r: "reports", y: "integrity", i: "import", h: "start", ",": "settings" };
/** Time in which the second key must follow a `g`. */
const CHORD_MS = 1200;
let chordUntil = 0;

export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export interface Shown {
  shortcuts: () => void;
  link: () => void;
  palette: () => void;
}

export function globalKey(event: KeyboardEvent, show: Shown): void {
  if (document.querySelector("dialog[open]")) return;
  // these two work from within a text field too
  const command = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (command && event.key.toLowerCase() === "k") show.palette();
  else if (command && event.key.toLowerCase() === "f") filter();
  else if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !plainKey(event, show)) return;
  event.preventDefault();
}

/** Keys without Ctrl: whether this one means something. */
function plainKey(event: KeyboardEvent, show: Shown): boolean {
  const second = event.timeStamp < chordUntil;
  const chord = second ? GO[event.key] : undefined;
  chordUntil = 0;
  if (chord) {
    if (session.open || NEEDS_NO_STORE.includes(chord)) navigation.go(chord);
  } else if (second && event.key === "l" && session.open) show.link();
  else if (event.key === "g") chordUntil = event.timeStamp + CHORD_MS;
  else if (event.key === "?") show.shortcuts();
  else if (event.key === "/") filter();
  else if (event.key === "t") focusOn("[data-testid=timebar-input]");
  else return false;
  return true;
}

/** To the field that filters what is shown; where there is none, to the search of the events. */
function filter(): void {
  if (focusOn("[data-filter]") || !session.open) return;
  wishes.make("search");
  navigation.go("events");
}

/** Whether there is such a field. */
export function focusOn(selector: string): boolean {
  const field = document.querySelector<HTMLInputElement>(selector);
  field?.focus();
  field?.select();
  return field !== null;
}
