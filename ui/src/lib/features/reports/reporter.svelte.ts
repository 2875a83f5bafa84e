/** Reports: templates, the one that is being made, those made before. Outlives the view, as the work does. */

import type { RecentReport } from "$lib/bindings/RecentReport";
import type { ReportRequest } from "$lib/bindings/ReportRequest";
import type { ReportView } from "$lib/bindings/ReportView";
import type { TemplatesView } from "$lib/bindings/TemplatesView";
import { Work } from "$lib/app/work.svelte";
import { host } from "$lib/host/client";
import { HostError } from "$lib/host/errors";

class Reporter {
  templates = $state.raw<TemplatesView | null>(null);
  recent = $state.raw<RecentReport[]>([]);
  /** The report that is being made, or was made last; what else went wrong is told there too. */
  readonly work = new Work<ReportView>();

  /** Reads the templates of the open store, and the list of reports made before. */
  async load(): Promise<void> {
    await this.guarded(async () => {
      this.templates = await host.reportTemplates();
      await this.readRecent();
    });
  }

  async make(request: ReportRequest, file: string): Promise<void> {
    await this.work.run((tell) => host.makeReport({ request, file }, tell));
    if (this.work.answer !== null) await this.guarded(() => this.readRecent());
  }

  async reveal(file: string): Promise<void> {
    await this.guarded(async () => {
      await host.revealReport(file);
      this.work.error = null;
    });
  }

  private async readRecent(): Promise<void> {
    this.recent = (await host.recentReports()).reports;
  }

  private async guarded(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (cause) {
      this.work.error = HostError.from(cause);
    }
  }
}

export const reporter = new Reporter();
