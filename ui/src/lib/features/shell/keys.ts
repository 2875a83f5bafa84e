/** Keys that work everywhere but in text fields. */

import { navigation } from "$lib/app/navigation.svelte";
import { session } from "$lib/app/session.svelte";
import type { ViewName } from "$lib/model/route";

const GO: Record<string, ViewName> = { o: "overview", s: "streams", e: "events", i: "import", h: "start" };
/** Time in which the second key must follow a `g`. */
const CHORD_MS = 1200;
let chordUntil = 0;

export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export interface Dialogs {
  shortcuts: () => void;
  link: () => void;
}

export function globalKey(event: KeyboardEvent, show: Dialogs): void {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const second = event.timeStamp < chordUntil;
  const chord = second ? GO[event.key] : undefined;
  chordUntil = 0;
  if (chord) {
    if (session.open || chord === "start") navigation.go(chord);
  } else if (second && event.key === "l" && session.open) show.link();
  else if (event.key === "g") chordUntil = event.timeStamp + CHORD_MS;
  else if (event.key === "?") show.shortcuts();
  else if (event.key === "/") focus("[data-filter]");
  else if (event.key === "t") focus("[data-testid=timebar-input]");
  else return;
  event.preventDefault();
}

function focus(selector: string): void {
  const field = document.querySelector<HTMLInputElement>(selector);
  field?.focus();
  field?.select();
}
