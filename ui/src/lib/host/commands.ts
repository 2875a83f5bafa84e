/** What each command takes and gives. The one table that transports and client share. */

import type { CountView } from "$lib/bindings/CountView";
import type { DensityView } from "$lib/bindings/DensityView";
import type { DiffView } from "$lib/bindings/DiffView";
import type { EventDetailView } from "$lib/bindings/EventDetailView";
import type { EventQuery } from "$lib/bindings/EventQuery";
import type { EventsView } from "$lib/bindings/EventsView";
import type { ExportFormat } from "$lib/bindings/ExportFormat";
import type { ExportReport } from "$lib/bindings/ExportReport";
import type { Format } from "$lib/bindings/Format";
import type { ImportReport } from "$lib/bindings/ImportReport";
import type { InfoView } from "$lib/bindings/InfoView";
import type { StateView } from "$lib/bindings/StateView";
import type { StreamPage } from "$lib/bindings/StreamPage";
import type { StreamQuery } from "$lib/bindings/StreamQuery";
import type { StreamRow } from "$lib/bindings/StreamRow";
import type { ActorsView, ExportProgress, ImportProgress, NeighboursView, OpenView, PickView, StartView } from "./types";

/** Where on a stream to stand: an as-of, or a version. */
export interface MomentArgs {
  /** A time or a date. */
  at?: string;
  /** Digits of a position, or a time. */
  known?: string;
  /** Excludes `at`. */
  version?: number;
}

export interface ImportArgs {
  paths: string[];
  format: Format;
  category: string | null;
  /** `UTC` or an IANA name, for times that name no zone. */
  zone: string;
  dry_run: boolean;
  /** File for the rejected records. */
  rejects: string | null;
}

export interface ExportArgs {
  query: EventQuery;
  format: ExportFormat;
  file: string;
}

type None = Record<string, never>;

export interface Commands {
  app_start: { args: None; result: StartView };
  store_open: { args: { path: string }; result: OpenView };
  store_create: { args: { path: string }; result: OpenView };
  store_sample: { args: { path: string | null }; result: OpenView };
  store_info: { args: None; result: InfoView };
  store_actors: { args: { limit: number }; result: ActorsView };
  streams: { args: { query: StreamQuery; limit: number }; result: StreamPage };
  streams_count: { args: { query: StreamQuery }; result: CountView };
  stream: { args: { stream: string }; result: StreamRow };
  events: { args: { query: EventQuery; limit: number }; result: EventsView };
  events_count: { args: { query: EventQuery }; result: CountView };
  event: { args: { position: number }; result: EventDetailView };
  event_by_id: { args: { id: string }; result: EventDetailView };
  density: { args: { query: EventQuery; slices: number }; result: DensityView };
  neighbours: { args: { time: string; query: EventQuery }; result: NeighboursView };
  state: { args: { stream: string } & MomentArgs; result: StateView };
  diff: { args: { stream: string; from: MomentArgs; to: MomentArgs }; result: DiffView };
  import_start: { args: ImportArgs; result: ImportReport; progress: ImportProgress };
  import_cancel: { args: None; result: null };
  export_start: { args: ExportArgs; result: ExportReport; progress: ExportProgress };
  export_cancel: { args: None; result: null };
  pick_store: { args: None; result: PickView };
  pick_import_files: { args: None; result: PickView };
  pick_new_store: { args: { name: string }; result: PickView };
  pick_export_file: { args: { name: string }; result: PickView };
  copy_text: { args: { text: string }; result: null };
}

export type Command = keyof Commands;

/** Carries a command to whoever answers it. Rejects with an `ErrorView`-shaped object. */
export interface Transport {
  call(command: Command, args: object, onProgress?: (progress: unknown) => void): Promise<unknown>;
  /** Files dropped on the window, where the platform tells their paths. */
  onDrop?(handle: (paths: string[]) => void): Promise<() => void>;
}
