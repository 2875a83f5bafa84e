/** A search for development: every word of the text as a part of the payload, marked where it stands. */

import type { SearchCountView } from "$lib/bindings/SearchCountView";
import type { SearchView } from "$lib/bindings/SearchView";
import { HostError } from "../errors";
import type { MockEvent } from "./data";
import { brief } from "./views";

export function findText(log: readonly MockEvent[], text: string, limit: number, head: number): SearchView {
  const found = hits(log, text);
  const page = found.slice(0, limit);
  return {
    hits: page.map((event) => ({
      event: brief(event),
      actor: event.actor ?? null,
      matches: [{ part: "data", path: "", snippet: pieces(event.dataText, words(text)), cut_before: false, cut_after: false }],
      more: 0,
    })),
    next: found.length > limit ? (page.at(-1)?.position ?? null) : null,
    reading: words(text).join(" AND "),
    searched_to: head,
    head,
    complete: true,
  };
}

export function countFound(log: readonly MockEvent[], text: string, head: number): SearchCountView {
  return { count: hits(log, text).length, reading: words(text).join(" AND "), searched_to: head, head, complete: true };
}

function words(text: string): string[] {
  const all = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (all.length === 0) throw new HostError("bad_input", "there is nothing to search for (character 1 of the search)", "write a word");
  return all;
}

function hits(log: readonly MockEvent[], text: string): MockEvent[] {
  const all = words(text);
  return log.filter((event) => all.every((word) => event.dataText.toLowerCase().includes(word)));
}

function pieces(text: string, all: readonly string[]): { text: string; marked: boolean }[] {
  const first = all[0] ?? "";
  const at = text.toLowerCase().indexOf(first);
  return [
    { text: text.slice(0, at), marked: false },
    { text: text.slice(at, at + first.length), marked: true },
    { text: text.slice(at + first.length), marked: false },
  ].filter((piece) => piece.text !== "");
}
