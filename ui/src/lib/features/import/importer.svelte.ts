/** An import: its files, how they are read, its run, its report. Lives on while the reader looks at other views. */

import type { Encoding } from "$lib/bindings/Encoding";
import type { FilePreview } from "$lib/bindings/FilePreview";
import type { Format } from "$lib/bindings/Format";
import type { ImportProgressView } from "$lib/bindings/ImportProgressView";
import type { ImportRow } from "$lib/bindings/ImportRow";
import type { ImportReport } from "$lib/bindings/ImportReport";
import type { Mapping } from "$lib/bindings/Mapping";
import type { PreviewArgs } from "$lib/bindings/PreviewArgs";
import { navigation } from "$lib/app/navigation.svelte";
import { session } from "$lib/app/session.svelte";
import { host } from "$lib/host/client";
import { HostError } from "$lib/host/errors";
import type { FormatRow } from "$lib/bindings/FormatRow";
import { nameOf } from "$lib/model/paths";
import { pathsOf, rememberPaths } from "$lib/model/sourcePaths";
import { FORMATS } from "./words";

/** Records of each file that are looked at. */
const LOOKED_AT = 40;

const BLANK: Mapping = {
  types: {},
  event: {},
  reshape: [],
  columns: [],
};

class Importer {
  paths = $state("");
  /** How the bytes spell text; `null`: as the content says. */
  encoding = $state<Encoding | null>(null);
  /** How rows of tables become events; `null`: as it is guessed. One mapping serves all tables of an import. */
  mapping = $state.raw<Mapping | null>(null);
  /** The files as they would be read. */
  previews = $state.raw<FilePreview[]>([]);
  /** Which of them is looked at. */
  selected = $state(0);
  target = $state<"current" | "new">("new");
  newStore = $state("");
  /** The name that was offered for the new store: replaced with the files as long as nobody changes it. */
  private proposed = "";
  format = $state<Format>("auto");
  /** The preset to read by; `null`: as the content says. */
  preset = $state<string | null>(null);
  /** The mapping of an earlier import, as TOML, until something else is said. */
  mappingToml = $state<string | null>(null);
  category = $state("");
  zone = $state("UTC");
  dryRun = $state(false);
  rejects = $state("");
  progress = $state.raw<ImportProgressView | null>(null);
  running = $state(false);
  report = $state.raw<ImportReport | null>(null);
  error = $state.raw<HostError | null>(null);
  /** Milliseconds since the run began, as of the last progress. */
  elapsed = $state(0);
  /** Milliseconds since the phase began, as of the last progress. */
  inPhase = $state(0);

  get files(): string[] {
    return this.paths
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  }

  get ready(): boolean {
    return !this.running && this.files.length > 0 && (this.target === "current" ? session.open : this.newStore.trim() !== "");
  }

  /** What to look at; `null` while no file is named. */
  get question(): PreviewArgs | null {
    if (this.files.length === 0) return null;
    return {
      paths: this.files,
      format: this.format,
      ...(this.encoding === null ? {} : { encoding: this.encoding }),
      ...(this.mapping === null ? {} : { mapping: this.mapping }),
      ...(this.mapping !== null || this.mappingToml === null ? {} : { mapping_toml: this.mappingToml }),
      ...(this.preset === null ? {} : { preset: this.preset }),
      ...(this.target === "new" && this.newStore.trim() !== "" ? { into_new: this.newStore.trim() } : {}),
      category: this.category.trim() === "" ? null : this.category.trim(),
      zone: this.zone.trim() === "" ? "UTC" : this.zone.trim(),
      records: LOOKED_AT,
    };
  }

  get preview(): FilePreview | null {
    return this.previews[this.selected] ?? this.previews[0] ?? null;
  }

  /** Why the files cannot be imported as they are; `null` if they can. */
  get obstacle(): string | null {
    for (const file of this.previews) {
      const said = file.problems[0] ?? (this.previews.length === 1 ? file.error : null);
      if (said !== null) return `${nameOf(file.file)}: ${said}`;
    }
    return null;
  }

  /** Other files are another question: what was said of the ones before is forgotten. */
  setPaths(text: string): void {
    if (text === this.paths) return;
    this.paths = text;
    this.mapping = null;
    this.encoding = null;
    this.mappingToml = null;
    this.preset = null;
    this.format = "auto";
    this.selected = 0;
    this.report = null;
    this.error = null;
    const first = this.files[0];
    if (first === undefined) this.previews = [];
    if (first !== undefined && (this.newStore === "" || this.newStore === this.proposed)) this.newStore = this.proposed = storeFor(first);
  }

  /** Files that one mapping serves and whose columns are not those of the table looked at. */
  get unlikeTables(): FilePreview[] {
    const shown = this.preview;
    if (!shown?.mapping) return [];
    const columnsOf = (file: FilePreview) => JSON.stringify(file.columns.map((column) => column.name));
    return this.previews.filter((file) => file.mapping !== null && columnsOf(file) !== columnsOf(shown));
  }

  /** Says something about how tables are read; the guesses stand for the rest. */
  say(change: (mapping: Mapping) => Mapping): void {
    const from = this.mapping ?? this.preview?.mapping;
    if (from) this.mapping = change(from);
  }

  /** A mapping in which nothing is said yet: for records that no preset reads. */
  blankMapping(): Mapping {
    return BLANK;
  }

  /** Reads the files as another format; `null`: as their content says. What was said of fields is forgotten. */
  readAs(row: FormatRow | null): void {
    this.mapping = null;
    this.mappingToml = null;
    this.format = row?.read_by === "code" ? (row.name as Format) : "auto";
    this.preset = row === null || row.read_by === "code" ? null : row.name;
  }

  /** What a file is read as, in a word or two. */
  found(file: FilePreview): string {
    return file.preset ?? FORMATS[file.format];
  }

  /** Files that were imported before, to be compared and read on, by the same mapping; where they lay then, else where
   * the reader says that they are now. */
  async again(row: ImportRow): Promise<void> {
    await this.guarded(async () => {
      const paths = pathsOf(row.files.map((file) => file.name)) ?? (await host.pickImportFiles()).paths;
      if (paths.length === 0) return;
      this.setPaths(paths.join("\n"));
      const mappings = new Set(row.files.map((file) => file.mapping));
      const [mapping] = mappings;
      this.mappingToml = mappings.size === 1 && mapping !== undefined ? mapping : null;
    });
  }

  setZone(zone: string): void {
    this.zone = zone;
    if (this.mapping !== null) this.mapping = { ...this.mapping, zone };
  }

  add(paths: readonly string[]): void {
    this.setPaths([...new Set([...this.files, ...paths])].join("\n"));
  }

  async browse(): Promise<void> {
    await this.guarded(async () => this.add((await host.pickImportFiles()).paths));
  }

  async browseNewStore(): Promise<void> {
    await this.guarded(async () => {
      this.newStore = (await host.pickNewStore("events.annals")).paths[0] ?? this.newStore;
    });
  }

  async browseRejects(): Promise<void> {
    await this.guarded(async () => {
      this.rejects = (await host.pickExportFile("rejects.jsonl")).paths[0] ?? this.rejects;
    });
  }

  private async guarded(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (cause) {
      this.error = HostError.from(cause);
    }
  }

  async run(): Promise<void> {
    this.running = true;
    this.report = null;
    this.error = null;
    this.progress = null;
    const began = performance.now();
    let phaseBegan = began;
    try {
      const made = this.target === "new" ? this.newStore.trim() : null;
      const dryRun = this.dryRun;
      // the mapping of an earlier import is the one that the preview shows
      const mapping = this.mapping ?? (this.mappingToml === null ? null : (this.preview?.mapping ?? null));
      const report = await host.startImport(
        {
          ...(made === null ? {} : { into_new: made }),
          paths: this.files,
          format: this.format,
          ...(this.encoding === null ? {} : { encoding: this.encoding }),
          ...(mapping === null ? {} : { mapping }),
          ...(this.preset === null ? {} : { preset: this.preset }),
          category: this.category.trim() === "" ? null : this.category.trim(),
          zone: this.zone.trim() === "" ? "UTC" : this.zone.trim(),
          dry_run: dryRun,
          rejects: this.rejects.trim() === "" ? null : this.rejects.trim(),
        },
        (progress) => {
          const now = performance.now();
          if (progress.phase !== this.progress?.phase) phaseBegan = now;
          this.progress = progress;
          this.elapsed = now - began;
          this.inPhase = now - phaseBegan;
        },
      );
      if (!dryRun && made !== null) await this.look(made);
      this.report = report;
      if (!dryRun) rememberPaths(report.files.map((file) => file.file), nameOf);
      if (!dryRun && made === null) await session.reload();
    } catch (cause) {
      this.error = HostError.from(cause);
    } finally {
      this.running = false;
    }
  }

  /** Opens the store that an import made. */
  private async look(store: string): Promise<void> {
    this.target = "current";
    // an instant of the store before means nothing in this one
    navigation.patch({ at: null, from: null, to: null });
    // if it cannot be opened the window says why, beside the report
    await session.openWith(store, () => host.openStore(store));
  }

  cancel(): void {
    void this.guarded(async () => void (await host.cancelImport()));
  }
}

/** `/data/orders.jsonl.gz` -> `/data/orders.annals` */
export function storeFor(file: string): string {
  return `${file.replace(/(\.(jsonl|ndjson|json|xes|csv|tsv|txt|gz|zst))+$/i, "")}.annals`;
}

export const importer = new Importer();
