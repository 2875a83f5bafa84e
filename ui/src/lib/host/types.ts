/** Types of the host that core does not know: hand-written until the host exports them. */

import type { InfoView } from "$lib/bindings/InfoView";
import type { ActorRow } from "$lib/bindings/ActorRow";

export interface RecentStore {
  path: string;
  name: string;
  last_opened: string;
  exists: boolean;
}

export interface StartView {
  version: string;
  recent: RecentStore[];
  open: InfoView | null;
  open_path: string | null;
  default_folder: string;
  home: string;
  /** View to show, from the command line. */
  hash: string | null;
}

export interface OpenView {
  path: string;
  info: InfoView;
  models: string[];
  model_errors: string[];
}

export interface ActorsView {
  actors: ActorRow[];
}

export interface NeighboursView {
  before: string | null;
  after: string | null;
}

export interface PickView {
  /** Empty: cancelled. */
  paths: string[];
}

export interface ImportProgress {
  bytes_total: number;
  bytes_read: number;
  records_read: number;
  events_stored: number;
}

export interface ExportProgress {
  events: number;
}

export type ErrorCode =
  | "not_found"
  | "exists"
  | "not_a_store"
  | "newer_format"
  | "locked"
  | "damaged"
  | "read_only"
  | "no_store_open"
  | "no_stream"
  | "no_event"
  | "bad_input"
  | "malformed_file"
  | "cancelled"
  | "disk_full"
  | "conflict"
  | "io"
  | "internal";

export interface ErrorView {
  code: ErrorCode;
  message: string;
  hint: string | null;
}
