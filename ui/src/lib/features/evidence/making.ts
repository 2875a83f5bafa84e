/** What the form of a new package asks, and its name. */

import type { EventQuery } from "$lib/bindings/EventQuery";
import type { EvidenceMakeArgs } from "$lib/bindings/EvidenceMakeArgs";

export type Others = NonNullable<EvidenceMakeArgs["others"]>;

/** Parts that can be withheld whole. */
export const PARTS = [
  { id: "identity", label: "Identity", about: "Id, stream, links and source" },
  { id: "data", label: "Data", about: "The payload" },
  { id: "metadata", label: "Metadata", about: "The payload's metadata" },
] as const;

/** What may be shown of events that do not match. */
export const SHOWN: { id: Others | ""; label: string }[] = [
  { id: "", label: "What the filter needs to show that they do not match" },
  { id: "none", label: "Nothing: they stay closed" },
  { id: "leaf", label: "Type, version and times, where those tell" },
  { id: "identity", label: "Also id and stream, where those tell" },
  { id: "payload", label: "Also payloads, where those tell" },
];

/** Parts and fields to withhold, as the host takes them. */
export function withheldBy(parts: readonly string[], paths: string): string[] {
  return [...parts, ...paths.split(/[\s,]+/).filter((path) => path !== "")];
}

/** `order-789.zip`, by what the rows are of. */
export function fileName(query: EventQuery): string {
  const of = query.stream ?? query.category ?? query.type ?? "evidence";
  const plain = of.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "");
  return `${plain === "" ? "evidence" : plain}.zip`;
}

/** The same in a folder. */
export function fileFor(folder: string, query: EventQuery): string {
  const separator = folder.includes("\\") ? "\\" : "/";
  return `${folder === "" ? "" : folder + separator}${fileName(query)}`;
}
