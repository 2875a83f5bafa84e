/** An import: its form, its run, its report. Lives on while the reader looks at other views. */

import type { Format } from "$lib/bindings/Format";
import type { ImportProgressView } from "$lib/bindings/ImportProgressView";
import type { ImportReport } from "$lib/bindings/ImportReport";
import { navigation } from "$lib/app/navigation.svelte";
import { session } from "$lib/app/session.svelte";
import { host } from "$lib/host/client";
import { HostError } from "$lib/host/errors";

class Importer {
  paths = $state("");
  target = $state<"current" | "new">("new");
  newStore = $state("");
  format = $state<Format>("auto");
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

  get files(): string[] {
    return this.paths
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  }

  get ready(): boolean {
    return !this.running && this.files.length > 0 && (this.target === "current" ? session.open : this.newStore.trim() !== "");
  }

  add(paths: readonly string[]): void {
    this.paths = [...new Set([...this.files, ...paths])].join("\n");
    const first = this.files[0];
    if (this.newStore === "" && first !== undefined) this.newStore = storeFor(first);
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
    try {
      if (this.target === "new") {
        const path = this.newStore.trim();
        if (!(await session.openWith(path, () => host.createStore(path)))) {
          this.error = session.error;
          session.error = null;
          return;
        }
        this.target = "current";
        // an instant of the store before means nothing in this one
        navigation.patch({ at: null, from: null, to: null });
      }
      this.report = await host.startImport(
        {
          paths: this.files,
          format: this.format,
          category: this.category.trim() === "" ? null : this.category.trim(),
          zone: this.zone.trim() === "" ? "UTC" : this.zone.trim(),
          dry_run: this.dryRun,
          rejects: this.rejects.trim() === "" ? null : this.rejects.trim(),
        },
        (progress) => {
          this.progress = progress;
          this.elapsed = performance.now() - began;
        },
      );
      if (!this.dryRun) await session.reload();
    } catch (cause) {
      this.error = HostError.from(cause);
    } finally {
      this.running = false;
    }
  }

  cancel(): void {
    void this.guarded(async () => void (await host.cancelImport()));
  }
}

/** `/data/orders.jsonl.gz` -> `/data/orders.annals` */
export function storeFor(file: string): string {
  return `${file.replace(/(\.(jsonl|ndjson|json|xes|csv|gz))+$/i, "")}.annals`;
}

export const importer = new Importer();
