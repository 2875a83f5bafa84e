/** Errors of the host, and how each is presented. */

import type { ErrorCode } from "$lib/bindings/ErrorCode";
import type { HostError as HostErrorView } from "$lib/bindings/HostError";

export interface Presentation {
  title: string;
  severity: "notice" | "warning" | "severe";
  /** What to do, if the host gives no better hint. */
  hint: string;
}

/** Exhaustive: a new code does not compile until it has a line here. */
export const PRESENTATIONS: Record<ErrorCode, Presentation> = {
  not_found: { title: "File not found", severity: "warning", hint: "Check the path. It may be on a drive that is not connected." },
  exists: { title: "File exists already", severity: "warning", hint: "Choose another name. Annals never overwrites a log." },
  not_a_store: { title: "Not an Annals store", severity: "warning", hint: "Import it instead if it is JSON Lines, JSON or XES." },
  newer_format: { title: "Written by a newer Annals", severity: "warning", hint: "Update Annals to open this store. Nothing was changed." },
  locked: { title: "Store is in use", severity: "warning", hint: "Another program is writing to it. Try again when it has finished." },
  damaged: { title: "Store is damaged", severity: "severe", hint: "Keep the file as it is and work from a backup. Nothing was changed." },
  read_only: { title: "Store can only be read", severity: "warning", hint: "Copy it to a place where you may write, or import into a new store." },
  no_store_open: { title: "No store is open", severity: "notice", hint: "Open a store or the guide sample first." },
  no_stream: { title: "No such stream", severity: "warning", hint: "It may belong to another store. Look it up under Streams." },
  no_event: { title: "No such event", severity: "warning", hint: "It may belong to another store, or to a later state of this one." },
  bad_input: { title: "Input not understood", severity: "warning", hint: "Check what was typed." },
  malformed_file: { title: "File cannot be read", severity: "warning", hint: "The place is named in the message. Nothing was stored." },
  cancelled: { title: "Cancelled", severity: "notice", hint: "The store is as it was before. Ask again when you like." },
  disk_full: { title: "Disk is full", severity: "severe", hint: "Make room and try again. The store is as it was before." },
  passphrase: { title: "Passphrase needed", severity: "warning", hint: "The private key of this log opens with its passphrase." },
  conflict: { title: "Someone else wrote first", severity: "warning", hint: "Look at what was written, then try again." },
  io: { title: "Reading or writing failed", severity: "severe", hint: "Check the medium and the permissions, then try again." },
  internal: { title: "Annals made a mistake", severity: "severe", hint: "Please report this with the message. The log is not changed by it." },
};

/** A command that was not answered. */
export class HostError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly hint: string | null = null,
  ) {
    super(message);
    this.name = "HostError";
  }

  get presentation(): Presentation {
    return PRESENTATIONS[this.code];
  }

  static from(cause: unknown): HostError {
    if (cause instanceof HostError) return cause;
    if (isErrorView(cause)) return new HostError(cause.code, cause.message, cause.hint ?? null);
    return new HostError("internal", cause instanceof Error ? cause.message : String(cause));
  }
}

function isErrorView(value: unknown): value is HostErrorView {
  if (typeof value !== "object" || value === null) return false;
  const { code, message } = value as Partial<HostErrorView>;
  return typeof code === "string" && code in PRESENTATIONS && typeof message === "string";
}
