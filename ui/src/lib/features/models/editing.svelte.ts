/** The model that is being written: its text, what it makes of a stream, what it makes of all. */

import type { ModelCheckView } from "$lib/bindings/ModelCheckView";
import type { ModelsView } from "$lib/bindings/ModelsView";
import { host } from "$lib/host/client";
import { HostError } from "$lib/host/errors";

/** What is edited: a file beside the store, or a new one for a category. */
export interface Subject {
  /** Name of the file without `.toml`. */
  name: string;
  category: string | null;
  /** There is a file of that name. */
  saved: boolean;
}

class Editing {
  models = $state.raw<ModelsView | null>(null);
  subject = $state.raw<Subject | null>(null);
  text = $state("");
  /** The text as the file has it. */
  private kept = $state("");
  check = $state.raw<{ view: ModelCheckView; text: string } | null>(null);
  busy = $state<"opening" | "saving" | "checking" | null>(null);
  error = $state.raw<HostError | null>(null);
  /** Said after saving. */
  said = $state("");

  get changed(): boolean {
    return this.subject !== null && (this.text !== this.kept || !this.subject.saved);
  }
  /** Words would be lost if another model took its place. */
  get unsaved(): boolean {
    return this.subject !== null && this.text !== this.kept;
  }
  /** The check is of the text as it is. */
  get checked(): ModelCheckView | null {
    return this.check?.text === this.text ? this.check.view : null;
  }

  list(): Promise<void> {
    return this.during(null, async () => {
      this.models = await host.models();
    });
  }

  open(name: string): Promise<void> {
    return this.during("opening", async () => {
      const found = await host.modelText(name);
      this.begin({ name: found.row.file.replace(/\.toml$/, ""), category: found.row.category, saved: true }, found.text);
    });
  }

  /** A first model from the data of a category. */
  draft(category: string): Promise<void> {
    return this.during("opening", async () => {
      const { text } = await host.draftModel(category);
      this.begin({ name: category, category, saved: false }, text ?? `# There is no event of this category yet.\ncategory = ${JSON.stringify(category)}\n`);
    });
  }

  save(): Promise<void> {
    const { subject, text } = this;
    if (subject === null) return Promise.resolve();
    return this.during("saving", async () => {
      const row = await host.saveModel({ name: subject.name, text, replace: subject.saved });
      this.models = await host.models();
      this.kept = text;
      this.subject = { ...subject, category: row.category, saved: true };
      this.said = `Saved as ${row.file}. States are folded with it from now on.`;
    });
  }

  runCheck(): Promise<void> {
    const { text } = this;
    return this.during("checking", async () => {
      this.check = { view: await host.checkModel(text), text };
    });
  }

  revert(): void {
    this.text = this.kept;
  }

  close(): void {
    this.subject = null;
    this.text = this.kept = "";
    this.check = null;
    this.error = null;
  }

  private begin(subject: Subject, text: string): void {
    this.subject = subject;
    this.text = this.kept = text;
    this.check = null;
    this.said = "";
  }

  private async during(what: typeof this.busy, work: () => Promise<void>): Promise<void> {
    this.busy = what;
    this.error = null;
    try {
      await work();
    } catch (cause) {
      this.error = HostError.from(cause);
    } finally {
      this.busy = null;
    }
  }
}

/** One for the window: what was typed is still there after a look elsewhere. */
export const editing = new Editing();
