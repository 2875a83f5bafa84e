/** How files are read, in words. */

import type { Compression } from "$lib/bindings/Compression";
import type { Coverage } from "$lib/bindings/Coverage";
import type { Encoding } from "$lib/bindings/Encoding";
import type { FilePreview } from "$lib/bindings/FilePreview";
import type { Format } from "$lib/bindings/Format";
import type { ReadBy } from "$lib/bindings/ReadBy";
import type { SourceOrder } from "$lib/bindings/SourceOrder";
import type { Tested } from "$lib/bindings/Tested";
import { DELIMITERS } from "$lib/model/mapping";
import { grouped, plural } from "$lib/model/numbers";

export const FORMATS: Record<Format, string> = {
  auto: "unknown",
  jsonl: "JSON Lines",
  json: "JSON",
  xes: "XES",
  csv: "CSV",
  ocel: "OCEL",
  git: "git history",
};

export const ENCODINGS: Record<Encoding, string> = {
  "utf-8": "UTF-8",
  "utf-16le": "UTF-16 LE",
  "utf-16be": "UTF-16 BE",
  "latin-1": "Latin-1",
  "windows-1252": "Windows-1252",
};

const PACKED: Record<Compression, string | null> = { none: null, gzip: "gzip", zstd: "zstd" };

export const BY: Record<ReadBy, string> = { code: "", preset: ", a preset", own_preset: ", a preset of your own" };

export const TESTED: Record<Tested, string> = { real_data: "tested on real data", specification: "tested on examples from its specification only" };

export const ORDERS: Record<SourceOrder, string> = {
  total: "one order of all events",
  per_stream: "ordered in each stream",
  per_partition: "ordered in each partition",
  unknown: "its order says nothing, times sort the events of a stream",
};

/** `CSV, semicolon, Windows-1252, gzip`; with its preset in front, where it has one */
export function formWords(file: Pick<FilePreview, "preset" | "mapping" | "format" | "encoding" | "compression">): string {
  const delimiter = file.mapping?.delimiter;
  const named = DELIMITERS.find((known) => known.character === delimiter)?.label.split("  ")[0];
  return [file.preset, FORMATS[file.format], file.format === "csv" ? (named ?? delimiter ?? null) : null, ENCODINGS[file.encoding], PACKED[file.compression]]
    .filter((word) => word !== null)
    .join(", ");
}

/** How much of what happened a source holds. */
export function holdsWords({ looked_at, previous, when, who, why }: Coverage): string {
  return `Of ${plural(looked_at, "event")} looked at, ${grouped(previous)} hold or follow what was before, ${grouped(when)} say when, ${grouped(who)} who, ${grouped(why)} why`;
}
