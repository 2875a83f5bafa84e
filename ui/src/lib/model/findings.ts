/** Findings in words. */

import type { FindingKind } from "$lib/bindings/FindingKind";
import type { Place } from "$lib/bindings/Place";
import { grouped } from "./numbers";

/** Exhaustive: a new kind does not compile until it has words. */
const WORDS: Record<FindingKind, string> = {
  missing_time: "No time recorded",
  time_runs_backwards: "Time runs backwards",
  zone_assumed: "Time zone assumed",
  date_only: "Only a day is named",
  ambiguous_local_time: "Local time exists twice or not at all",
  version_gap: "Gap in the source's versions",
  empty_trace: "Trace without events",
  duplicate_trace: "Two traces of one name",
  not_kept: "Belongs to no event",
  broken_link: "Object is not in the log",
  kind_differs: "Not of the column's kind",
  source_changed: "Changed in its source since it was seen",
  source_vanished: "Vanished from its source",
  source_inserted: "Inserted into its source before what was seen",
  source_reordered: "Reordered in its source",
  chain_broken: "Does not fit its source's hashes",
  unfinished_line: "Last line not whole yet",
  file_skipped: "File was not read",
  id_reused: "Event id used again",
  missing_type: "No event type recorded",
  imported_before: "Imported before under another name",
  duplicate_key: "Key stands twice",
  left_out: "Events left out",
  order_disagrees: "Version order and time order disagree",
  expression_failed: "Expression of the model failed",
  number_too_large: "Number too large to compute with exactly",
  erased: "Payload was erased",
  not_json: "Payload is not JSON",
  assumed: "Assumed, not recorded",
  bad_time: "Model's own time cannot be read",
  schema_unknown: "Schema version unknown",
  removed: "Field went",
  renamed: "Field renamed",
  retyped: "Field changed its kind",
  no_handler: "Type without a handler",
  snapshot_dropped: "Damaged snapshot was dropped",
  policies_unread: "Snapshot policies cannot be read",
  hash_mismatch: "Changed after it was recorded",
  model_broken: "Model file is broken",
  many_categories: "Nearly every stream is a category",
  not_told: "History is not told to the end",
  not_exact: "Number may not be exact",
  unattributed: "Erased, so nobody can say whose it was",
  access_log_broken: "Access log is not whole",
};

export function describeFinding(kind: FindingKind): string {
  return WORDS[kind] ?? kind;
}

/** `orders.jsonl, line 14 · order-789, version 3`; empty if nothing is known. */
export function placeOf(place: Place): string {
  const parts: string[] = [];
  if (place.file !== undefined) parts.push(place.line === undefined ? place.file : `${place.file}, line ${grouped(place.line)}`);
  if (place.stream !== undefined) parts.push(place.version === undefined ? place.stream : `${place.stream}, version ${grouped(place.version)}`);
  if (place.position !== undefined) parts.push(`position ${grouped(place.position)}`);
  if (place.path !== undefined) parts.push(`at ${place.path}`);
  return parts.join(" · ");
}
