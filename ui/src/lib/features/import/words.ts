/** How files are read, in words. */

import type { Compression } from "$lib/bindings/Compression";
import type { Encoding } from "$lib/bindings/Encoding";
import type { FilePreview } from "$lib/bindings/FilePreview";
import type { Format } from "$lib/bindings/Format";
import { DELIMITERS } from "$lib/model/mapping";

export const FORMATS: Record<Format, string> = {
  auto: "unknown",
  jsonl: "JSON Lines",
  json: "JSON",
  xes: "XES",
  csv: "CSV",
  ocel: "OCEL",
};

export const ENCODINGS: Record<Encoding, string> = {
  "utf-8": "UTF-8",
  "utf-16le": "UTF-16 LE",
  "utf-16be": "UTF-16 BE",
  "latin-1": "Latin-1",
  "windows-1252": "Windows-1252",
};

const PACKED: Record<Compression, string | null> = { none: null, gzip: "gzip", zstd: "zstd" };

/** `CSV, semicolon, Windows-1252, gzip` */
export function formWords(file: Pick<FilePreview, "mapping" | "format" | "encoding" | "compression">): string {
  const delimiter = file.mapping?.delimiter;
  const named = DELIMITERS.find((known) => known.character === delimiter)?.label.split("  ")[0];
  return [FORMATS[file.format], file.format === "csv" ? (named ?? delimiter ?? null) : null, ENCODINGS[file.encoding], PACKED[file.compression]]
    .filter((word) => word !== null)
    .join(", ");
}
