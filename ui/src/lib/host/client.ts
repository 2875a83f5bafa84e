/** The one typed client. Everything the UI knows of a log comes through here. */

import type { AskArgs } from "$lib/bindings/AskArgs";
import type { BehindArgs } from "$lib/bindings/BehindArgs";
import type { DashboardArgs } from "$lib/bindings/DashboardArgs";
import type { DashboardWriteArgs } from "$lib/bindings/DashboardWriteArgs";
import type { CommandArgs } from "$lib/bindings/CommandArgs";
import type { DropView } from "$lib/bindings/DropView";
import type { EventQuery } from "$lib/bindings/EventQuery";
import type { ExportProgressView } from "$lib/bindings/ExportProgressView";
import type { FollowView } from "$lib/bindings/FollowView";
import type { ImportLinesArgs } from "$lib/bindings/ImportLinesArgs";
import type { ImportProgressView } from "$lib/bindings/ImportProgressView";
import type { LateArgs } from "$lib/bindings/LateArgs";
import type { ModelPreviewArgs } from "$lib/bindings/ModelPreviewArgs";
import type { ModelSaveArgs } from "$lib/bindings/ModelSaveArgs";
import type { SnapshotImportArgs } from "$lib/bindings/SnapshotImportArgs";
import type { PolicyArgs } from "$lib/bindings/PolicyArgs";
import type { PresetSaveArgs } from "$lib/bindings/PresetSaveArgs";
import type { PreviewArgs } from "$lib/bindings/PreviewArgs";
import type { MomentArgs } from "$lib/bindings/MomentArgs";
import type { ProjectionDoArgs } from "$lib/bindings/ProjectionDoArgs";
import type { RebuildArgs } from "$lib/bindings/RebuildArgs";
import type { SignArgs } from "$lib/bindings/SignArgs";
import type { CosignArgs } from "$lib/bindings/CosignArgs";
import type { StampAttachArgs } from "$lib/bindings/StampAttachArgs";
import type { StampRequestArgs } from "$lib/bindings/StampRequestArgs";
import type { ReportRequest } from "$lib/bindings/ReportRequest";
import type { ObjectArgs } from "$lib/bindings/ObjectArgs";
import type { RelatedArgs } from "$lib/bindings/RelatedArgs";
import type { SqlArgs } from "$lib/bindings/SqlArgs";
import type { StatesArgs } from "$lib/bindings/StatesArgs";
import type { QuestionSaveArgs } from "$lib/bindings/QuestionSaveArgs";
import type { Settings } from "$lib/bindings/Settings";
import type { StreamQuery } from "$lib/bindings/StreamQuery";
import type { WhatIfArgs } from "$lib/bindings/WhatIfArgs";
import type { WorkProgressView } from "$lib/bindings/WorkProgressView";
import type { BackupArgs, Command, Commands, EraseArgs, EvidenceMakeArgs, EvidenceVerifyArgs, ExportArgs, ImportArgs, ReportMakeArgs, RestoreArgs, Transport, VerifyArgs } from "./commands";
import { HostError } from "./errors";
import { longWork } from "./longWork.svelte";

let transport: Promise<Transport> | null = null;

/** Lets tests answer the commands themselves. */
export function useTransport(own: Transport): void {
  transport = Promise.resolve(own);
}

function connect(): Promise<Transport> {
  transport ??= import.meta.env.DEV && !("__TAURI_INTERNALS__" in window)
    ? import("./mock/transport").then((module) => module.createMock())
    : import("./tauri").then((module) => module.transport);
  return transport;
}

/** Sends a command; the table in `commands.ts` says what comes back. */
async function call<C extends Command, P = never>(
  command: C,
  args: Commands[C]["args"],
  onProgress?: (progress: P) => void,
): Promise<Commands[C]["result"]> {
  try {
    return (await (await connect()).call(command, args, onProgress as ((progress: unknown) => void) | undefined)) as Commands[C]["result"];
  } catch (cause) {
    throw HostError.from(cause);
  }
}

/** As `call`, what may go through a whole stream or the whole log: the window's progress line tells of it. */
function long<C extends Command>(what: string, command: C, args: Commands[C]["args"]): Promise<Commands[C]["result"]> {
  return longWork.during(what, call(command, args));
}

export const host = {
  start: () => call("app_start", {}),
  openStore: (path: string) => call("store_open", { path }),
  createStore: (path: string) => call("store_create", { path }),
  openFixed: (kind: "questions" | "read-models") => call("store_sample", { kind, events: null, path: null }),
  openSample: (path: string | null = null) => call("store_sample", { kind: "guide", events: null, path }),
  openWorld: (kind: "shop" | "trading" | "clinic", events: number | null = null) => long("Making a world", "store_sample", { kind, events, path: null }),
  commandNames: () => call("command_names", {}),
  sendCommand: (args: CommandArgs) => call("command_send", args),
  info: () => call("store_info", {}),
  actors: (limit: number) => call("store_actors", { limit }),
  streams: (query: StreamQuery, limit: number) => call("streams", { query, limit }),
  streamsCount: (query: StreamQuery) => call("streams_count", { query }),
  object: (args: ObjectArgs) => long("An object", "object", args),
  stream: (stream: string) => call("stream", { stream }),
  /** The versions of a stream from one on, without their payloads. */
  streamLines: (stream: string, from: number, limit: number) => call("stream_lines", { stream, from, limit }),
  /** From the row `skip` of the list on, however deep. */
  events: (query: EventQuery, limit: number, skip = 0) => call("events", { query, limit, skip }),
  eventsCount: (query: EventQuery) => call("events_count", { query }),
  eventRow: (query: EventQuery, position: number) => call("event_row", { query, position }),
  event: (position: number) => call("event", { position }),
  eventById: (id: string) => call("event_by_id", { id }),
  density: (query: EventQuery, slices: number) => call("density", { query, slices }),
  neighbours: (time: string, query: EventQuery) => call("neighbours", { time, query }),
  /** `query.direction` is newest first for a search box; `query.after` is the `next` of the page before. */
  search: (text: string, query: EventQuery, limit: number) => call("search", { text, query, limit }),
  searchCount: (text: string, query: EventQuery) => call("search_count", { text, query }),
  textIndex: () => call("text_index", {}),
  /** Ends when the store is closed, another is opened or another following begins. */
  follow: (onView: (view: FollowView) => void) => call("follow", {}, onView),
  stopFollowing: () => call("follow_stop", {}),
  state: (stream: string, moment: MomentArgs) => long("State", "state", { stream, ...moment }),
  diff: (stream: string, from: MomentArgs, to: MomentArgs) => long("Diff", "diff", { stream, from, to }),
  why: (stream: string, path: string, moment: MomentArgs) => long("Why a value is what it is", "why", { stream, path, moment }),
  history: (stream: string, path: string, moment: MomentArgs) => long("Values over time", "history", { stream, path, moment }),
  whatIf: (args: WhatIfArgs) => long("What if", "what_if", args),
  related: (args: RelatedArgs) => long("Related streams", "related", args),
  late: (args: LateArgs) => long("Late events", "late", args),
  ask: (args: AskArgs) => long("A question", "ask", args),
  askAll: (args: AskArgs) => long("All rows of a question", "ask_all", args),
  /** Rows of an answer whose rows are kept; what they are, who asked knows. */
  rowsPage: (id: number, first: number, count: number) => call("rows_page", { id, first, count }),
  savedQuestions: () => call("questions_saved", {}),
  saveQuestion: (args: QuestionSaveArgs) => call("question_save", args),
  removeQuestion: (name: string) => call("question_remove", { name }),
  readQuestion: (text: string) => call("question_read", { text }),
  states: (args: StatesArgs) => long("States of the pinned streams", "states", args),
  dashboards: () => call("dashboards", {}),
  dashboard: (args: DashboardArgs) => long("Dashboard", "dashboard", args),
  dashboardBehind: (args: BehindArgs) => long("Events behind a value", "dashboard_behind", args),
  projections: () => call("projections_status", {}),
  actOnProjection: (args: ProjectionDoArgs) => long("Projections", "projection_do", args),
  rebuildProjection: (args: RebuildArgs) => long("Documents made anew", "projection_rebuild", args),
  whyInDocument: (args: BehindArgs) => long("Why a value in a document is what it is", "projection_why", args),
  historyInDocument: (args: BehindArgs) => long("Values in a document over time", "projection_history", args),
  writeDashboard: (args: DashboardWriteArgs) => long("Dashboard as a file", "dashboard_write", args),
  models: () => call("models", {}),
  modelText: (name: string) => call("model_text", { name }),
  saveModel: (args: ModelSaveArgs) => call("model_save", args),
  previewModel: (args: ModelPreviewArgs) => long("Preview of the model", "model_preview", args),
  checkModel: (text: string) => long("Check on all events", "model_check", { text }),
  draftModel: (category: string) => long("A first model from the data", "model_draft", { category }),
  shapes: (category: string | null) => long("Shapes of payloads", "model_shapes", { category }),
  snapshots: () => call("snapshots", {}),
  takeSnapshots: () => long("Taking snapshots", "snapshots_take", {}),
  verifySnapshots: () => long("Snapshots against a replay", "snapshots_verify", {}),
  importSnapshots: (args: SnapshotImportArgs) => long("Imported snapshots against a replay", "snapshots_import", args),
  pickSnapshots: () => call("pick_snapshots", {}),
  adviseSnapshots: () => long("Measuring replays", "snapshots_advise", {}),
  snapshotPolicies: () => call("snapshot_policies", {}),
  setSnapshotPolicy: (args: PolicyArgs) => call("snapshot_policy_set", args),
  checkRules: () => long("Rules over the history", "rules_check", {}),
  imports: () => call("imports", {}),
  importLines: (args: ImportLinesArgs) => call("import_lines", args),
  importFormats: () => call("import_formats", {}),
  savePreset: (args: PresetSaveArgs) => call("preset_save", args),
  previewImport: (args: PreviewArgs) => call("import_preview", args),
  startImport: (args: ImportArgs, onProgress: (progress: ImportProgressView) => void) =>
    call("import_start", args, onProgress),
  cancelImport: () => call("import_cancel", {}),
  startExport: (args: ExportArgs, onProgress: (progress: ExportProgressView) => void) =>
    call("export_start", args, onProgress),
  cancelExport: () => call("export_cancel", {}),
  startBackup: (args: BackupArgs, onProgress: (progress: WorkProgressView) => void) =>
    call("backup_start", args, onProgress),
  startRestore: (args: RestoreArgs, onProgress: (progress: WorkProgressView) => void) =>
    call("restore_start", args, onProgress),
  /** Stops the backup, restore or verification that runs: the host runs one of them at a time. */
  cancelWork: () => call("work_cancel", {}),
  longProgress: () => call("long_progress", {}),
  startVerify: (args: VerifyArgs, onProgress: (progress: WorkProgressView) => void) =>
    call("verify_start", args, onProgress),
  checkpoints: () => call("checkpoints", {}),
  logKeys: () => call("log_keys_list", {}),
  signCheckpoint: (args: SignArgs) => call("checkpoint_sign", args),
  cosignCheckpoint: (args: CosignArgs) => call("checkpoint_cosign", args),
  requestTimeStamp: (args: StampRequestArgs) => call("timestamp_request", args),
  attachTimeStamp: (args: StampAttachArgs) => call("timestamp_attach", args),
  pickStampRequest: (name: string) => call("pick_stamp_request", { name }),
  /** A file to read; `title` is what the system's dialog is called. */
  pickStampFile: (title: string) => call("pick_stamp_file", { name: title }),
  verifyEvidence: (args: EvidenceVerifyArgs, onProgress: (progress: WorkProgressView) => void) =>
    call("evidence_verify", args, onProgress),
  makeEvidence: (args: EvidenceMakeArgs, onProgress: (progress: WorkProgressView) => void) =>
    call("evidence_make", args, onProgress),
  pickNewPackage: (name: string) => call("pick_new_package", { name }),
  pickPackage: () => call("pick_package", {}),
  reportTemplates: () => call("report_templates", {}),
  previewReport: (request: ReportRequest, onProgress: (progress: WorkProgressView) => void) =>
    call("report_preview", { request }, onProgress),
  reportPage: (preview: number, page: number) => call("report_page", { preview, page }),
  makeReport: (args: ReportMakeArgs, onProgress: (progress: WorkProgressView) => void) =>
    call("report_make", args, onProgress),
  cancelReport: () => call("report_cancel", {}),
  recentReports: () => call("reports_recent", {}),
  revealReport: (path: string) => call("report_reveal", { path }),
  cancelLong: () => call("long_cancel", {}),
  pickStore: () => call("pick_store", {}),
  pickImportFiles: () => call("pick_import_files", {}),
  pickNewStore: (name: string) => call("pick_new_store", { name }),
  pickExportFile: (name: string) => call("pick_export_file", { name }),
  /** Writes down that a view stayed. */
  noteLook: (view: string, asked: [string, string[]][]) => call("look_note", { view, asked }),
  accessLog: (last: number) => call("access_log", { last }),
  erasurePlan: (subject: string, mentions: boolean) => long("Plan of an erasure", "erasure_plan", { subject, mentions }),
  erase: (args: EraseArgs, onProgress: (progress: WorkProgressView) => void) =>
    call("erase_start", args, onProgress),
  pickReportFile: (name: string) => call("pick_report_file", { name }),
  sqlSchema: () => long("Tables of SQL", "sql_schema", {}),
  askSql: (args: SqlArgs) => long("SQL", "sql_ask", args),
  askAllSql: (args: SqlArgs) => long("All rows of SQL", "sql_all", args),
  /** Writes every row; the ending of the file's name says the form. */
  exportSql: (ask: SqlArgs, file: string) => long("Export of SQL", "sql_export", { ask, file }),
  savedQueries: () => call("sql_saved", {}),
  saveQuery: (name: string, sql: string, replace: boolean) => call("sql_save", { name, sql, replace }),
  deleteQuery: (name: string) => call("sql_delete", { name }),
  saveSettings: (settings: Settings) => call("settings_save", { settings }),
  removeRecent: (path: string) => call("recent_remove", { path }),
  pinRecent: (path: string, pinned: boolean) => call("recent_pin", { path, pinned }),
  /** Tells of files dragged over the window and dropped on it, for as long as the page lives. */
  watchDrops: (onDrop: (drop: DropView) => void) => call("drop_watch", {}, onDrop),
  copyText: (text: string) => call("copy_text", { text }),
};
