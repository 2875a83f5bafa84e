/** Reports: templates, the one that is being made, those made before. Outlives the view, as the work does. */

import type { RecentReport } from "$lib/bindings/RecentReport";
import type { ReportRequest } from "$lib/bindings/ReportRequest";
import type { ReportView } from "$lib/bindings/ReportView";
import type { TemplatesView } from "$lib/bindings/TemplatesView";
import type { WorkProgressView } from "$lib/bindings/WorkProgressView";
import { host } from "$lib/host/client";
import { HostError } from "$lib/host/errors";

class Reporter {
  templates = $state.raw<TemplatesView | null>(null);
  recent = $state.raw<RecentReport[]>([]);
  /** How far the report is that is being made; `null`: none is. */
  making = $state.raw<WorkProgressView | null>(null);
  /** What was made last, for its result. */
  made = $state.raw<ReportView | null>(null);
  error = $state.raw<HostError | null>(null);

  /** Reads the templates of the open store, and the list of reports made before. */
  async load(): Promise<void> {
    try {
      this.templates = await host.reportTemplates();
      this.recent = (await host.recentReports()).reports;
    } catch (cause) {
      this.error = HostError.from(cause);
    }
  }

  async make(request: ReportRequest, file: string): Promise<void> {
    this.making = { done: 0, total: 0 };
    this.made = null;
    this.error = null;
    try {
      this.made = await host.makeReport({ request, file }, (progress) => (this.making = progress));
      this.recent = (await host.recentReports()).reports;
    } catch (cause) {
      this.error = HostError.from(cause);
    } finally {
      this.making = null;
    }
  }

  async reveal(file: string): Promise<void> {
    try {
      await host.revealReport(file);
      this.error = null;
    } catch (cause) {
      this.error = HostError.from(cause);
    }
  }
}

export const reporter = new Reporter();
