/** What each command takes and gives. The one table that transports and client share. */

import type { ActorsView } from "$lib/bindings/ActorsView";
import type { BackupArgs as BackupWire } from "$lib/bindings/BackupArgs";
import type { BackupReport } from "$lib/bindings/BackupReport";
import type { CountView } from "$lib/bindings/CountView";
import type { DensityView } from "$lib/bindings/DensityView";
import type { DiffView } from "$lib/bindings/DiffView";
import type { DraftView } from "$lib/bindings/DraftView";
import type { DropView } from "$lib/bindings/DropView";
import type { EventDetailView } from "$lib/bindings/EventDetailView";
import type { EventQuery } from "$lib/bindings/EventQuery";
import type { EventsView } from "$lib/bindings/EventsView";
import type { ExportArgs as ExportWire } from "$lib/bindings/ExportArgs";
import type { ExportProgressView } from "$lib/bindings/ExportProgressView";
import type { ExportReport } from "$lib/bindings/ExportReport";
import type { FollowView } from "$lib/bindings/FollowView";
import type { HistoryArgs } from "$lib/bindings/HistoryArgs";
import type { HistoryView } from "$lib/bindings/HistoryView";
import type { ImportArgs as ImportWire } from "$lib/bindings/ImportArgs";
import type { ImportLinesArgs } from "$lib/bindings/ImportLinesArgs";
import type { ImportProgressView } from "$lib/bindings/ImportProgressView";
import type { ImportReport } from "$lib/bindings/ImportReport";
import type { ImportsView } from "$lib/bindings/ImportsView";
import type { InfoView } from "$lib/bindings/InfoView";
import type { LateArgs } from "$lib/bindings/LateArgs";
import type { LateView } from "$lib/bindings/LateView";
import type { ModelCheckView } from "$lib/bindings/ModelCheckView";
import type { ModelPreviewArgs } from "$lib/bindings/ModelPreviewArgs";
import type { ModelRow } from "$lib/bindings/ModelRow";
import type { ModelSaveArgs } from "$lib/bindings/ModelSaveArgs";
import type { ModelsView } from "$lib/bindings/ModelsView";
import type { ModelTextView } from "$lib/bindings/ModelTextView";
import type { LinesView } from "$lib/bindings/LinesView";
import type { MomentArgs } from "$lib/bindings/MomentArgs";
import type { NeighboursView } from "$lib/bindings/NeighboursView";
import type { OpenView } from "$lib/bindings/OpenView";
import type { PathsView } from "$lib/bindings/PathsView";
import type { PreviewArgs } from "$lib/bindings/PreviewArgs";
import type { ModelPreviewView } from "$lib/bindings/ModelPreviewView";
import type { RestoreArgs as RestoreWire } from "$lib/bindings/RestoreArgs";
import type { RestoreReport } from "$lib/bindings/RestoreReport";
import type { SampleArgs } from "$lib/bindings/SampleArgs";
import type { SearchCountView } from "$lib/bindings/SearchCountView";
import type { SearchView } from "$lib/bindings/SearchView";
import type { PreviewView } from "$lib/bindings/PreviewView";
import type { RelatedArgs } from "$lib/bindings/RelatedArgs";
import type { RelatedView } from "$lib/bindings/RelatedView";
import type { ShapesView } from "$lib/bindings/ShapesView";
import type { RecentView } from "$lib/bindings/RecentView";
import type { Settings } from "$lib/bindings/Settings";
import type { StartView } from "$lib/bindings/StartView";
import type { StateView } from "$lib/bindings/StateView";
import type { StatesArgs } from "$lib/bindings/StatesArgs";
import type { StatesView } from "$lib/bindings/StatesView";
import type { StreamPage } from "$lib/bindings/StreamPage";
import type { StreamQuery } from "$lib/bindings/StreamQuery";
import type { StreamRow } from "$lib/bindings/StreamRow";
import type { TextIndexView } from "$lib/bindings/TextIndexView";
import type { WhatIfArgs } from "$lib/bindings/WhatIfArgs";
import type { WhatIfView } from "$lib/bindings/WhatIfView";
import type { WhyArgs } from "$lib/bindings/WhyArgs";
import type { WhyView } from "$lib/bindings/WhyView";
import type { WorkProgressView } from "$lib/bindings/WorkProgressView";

/** The transport adds the channel on which progress comes. */
export type ImportArgs = Omit<ImportWire, "channel">;
export type ExportArgs = Omit<ExportWire, "channel">;
export type BackupArgs = Omit<BackupWire, "channel">;
export type RestoreArgs = Omit<RestoreWire, "channel">;

type None = Record<string, never>;

export interface Commands {
  app_start: { args: None; result: StartView };
  store_open: { args: { path: string }; result: OpenView };
  store_create: { args: { path: string }; result: OpenView };
  store_sample: { args: SampleArgs; result: OpenView };
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
  search: { args: { text: string; query: EventQuery; limit: number }; result: SearchView };
  search_count: { args: { text: string; query: EventQuery }; result: SearchCountView };
  text_index: { args: None; result: TextIndexView };
  follow: { args: None; result: null; progress: FollowView };
  follow_stop: { args: None; result: null };
  state: { args: { stream: string } & MomentArgs; result: StateView };
  diff: { args: { stream: string; from: MomentArgs; to: MomentArgs }; result: DiffView };
  why: { args: WhyArgs; result: WhyView };
  history: { args: HistoryArgs; result: HistoryView };
  what_if: { args: WhatIfArgs; result: WhatIfView };
  related: { args: RelatedArgs; result: RelatedView };
  late: { args: LateArgs; result: LateView };
  states: { args: StatesArgs; result: StatesView };
  models: { args: None; result: ModelsView };
  model_text: { args: { name: string }; result: ModelTextView };
  model_save: { args: ModelSaveArgs; result: ModelRow };
  model_preview: { args: ModelPreviewArgs; result: ModelPreviewView };
  model_check: { args: { text: string }; result: ModelCheckView };
  model_draft: { args: { category: string }; result: DraftView };
  model_shapes: { args: { category: string | null }; result: ShapesView };
  imports: { args: None; result: ImportsView };
  import_lines: { args: ImportLinesArgs; result: LinesView };
  import_preview: { args: PreviewArgs; result: PreviewView };
  import_start: { args: ImportArgs; result: ImportReport; progress: ImportProgressView };
  import_cancel: { args: None; result: null };
  export_start: { args: ExportArgs; result: ExportReport; progress: ExportProgressView };
  export_cancel: { args: None; result: null };
  backup_start: { args: BackupArgs; result: BackupReport; progress: WorkProgressView };
  restore_start: { args: RestoreArgs; result: RestoreReport; progress: WorkProgressView };
  backup_cancel: { args: None; result: null };
  long_cancel: { args: None; result: null };
  pick_store: { args: None; result: PathsView };
  pick_import_files: { args: None; result: PathsView };
  pick_new_store: { args: { name: string }; result: PathsView };
  pick_export_file: { args: { name: string }; result: PathsView };
  copy_text: { args: { text: string }; result: null };
  settings_save: { args: { settings: Settings }; result: Settings };
  recent_remove: { args: { path: string }; result: RecentView };
  recent_pin: { args: { path: string; pinned: boolean }; result: RecentView };
  drop_watch: { args: None; result: null; progress: DropView };
}

export type Command = keyof Commands;

/** Carries a command to whoever answers it. Rejects with an object of the shape of the host's `HostError`. */
export interface Transport {
  call(command: Command, args: object, onProgress?: (progress: unknown) => void): Promise<unknown>;
}
