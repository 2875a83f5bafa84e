/** The open store: what it holds, and noticing that it grows. */

import type { ActorRow } from "$lib/bindings/ActorRow";
import type { InfoView } from "$lib/bindings/InfoView";
import { host } from "$lib/host/client";
import { HostError } from "$lib/host/errors";
import type { OpenView } from "$lib/bindings/OpenView";
import type { RecentStore } from "$lib/bindings/RecentStore";
import type { StartView } from "$lib/bindings/StartView";
import type { ViewName } from "$lib/model/route";
import { navigation } from "./navigation.svelte";
import { settings } from "./settings.svelte";

const POLL_MS = 2000;
/** Views that are of use without a store. */
export const NEEDS_NO_STORE: readonly ViewName[] = ["start", "import", "settings"];

class Session {
  start = $state.raw<StartView | null>(null);
  path = $state<string | null>(null);
  info = $state.raw<InfoView | null>(null);
  actors = $state.raw<ActorRow[]>([]);
  models = $state.raw<string[]>([]);
  modelErrors = $state.raw<string[]>([]);
  error = $state.raw<HostError | null>(null);
  busy = $state<string | null>(null);
  /** Lists that depend on it read again. */
  revision = $state(0);
  private seen = $state(0);

  get open(): boolean {
    return this.info !== null;
  }

  get name(): string {
    return this.path?.split(/[/\\]/).at(-1) ?? "";
  }

  /** Events that came since the lists were read. */
  get newEvents(): number {
    return Math.max(0, (this.info?.events ?? 0) - this.seen);
  }

  async begin(): Promise<void> {
    try {
      const start = await host.start();
      this.start = start;
      settings.take(start.settings);
      const path = start.open_path;
      // open already (the page was loaded again), or named on the command line
      if (path !== null) await this.openWith(path, () => host.openStore(path));
      if (!this.open && NEEDS_NO_STORE.includes(navigation.view)) return;
      if (!this.open) navigation.go("start");
      else if (start.hash && navigation.view === "start") navigation.open(start.hash);
      else if (navigation.view === "start") navigation.go("overview");
    } catch (cause) {
      this.error = HostError.from(cause);
    }
  }

  /** Reads the list of recent stores again: opening one changes it. */
  async refreshStart(): Promise<void> {
    if (this.start === null) return;
    try {
      this.start = await host.start();
    } catch {
      // the list as it was is still true enough to choose from
    }
  }

  /** Changes the list of recent stores. */
  async changeRecent(change: () => Promise<{ recent: RecentStore[] }>): Promise<void> {
    try {
      const { recent } = await change();
      if (this.start) this.start = { ...this.start, recent };
    } catch (cause) {
      this.error = HostError.from(cause);
    }
  }

  async openWith(label: string, open: () => Promise<OpenView>): Promise<boolean> {
    this.busy = label;
    this.error = null;
    try {
      this.take(await open());
      return true;
    } catch (cause) {
      this.error = HostError.from(cause);
      return false;
    } finally {
      this.busy = null;
    }
  }

  private take(view: OpenView): void {
    this.path = view.path;
    this.models = view.models;
    this.modelErrors = view.model_errors;
    this.info = view.info;
    this.refresh();
  }

  /** Reads the lists again, with everything that has come. */
  refresh(): void {
    this.seen = this.info?.events ?? 0;
    this.revision++;
    void host
      .actors(200)
      .then((view) => (this.actors = view.actors))
      .catch(() => (this.actors = []));
  }

  /** After a change made here: fresh numbers, fresh lists. */
  async reload(): Promise<void> {
    this.info = await host.info();
    this.refresh();
  }

  /** Looks every two seconds, while the window is visible, whether the log has grown. Returns the clean-up. */
  watch(): () => void {
    const timer = setInterval(() => {
      if (document.visibilityState !== "visible" || !this.open || this.busy !== null) return;
      host.info().then(
        (info) => {
          if (info.id === this.info?.id && info.events !== this.info.events) this.info = info;
        },
        // a store that cannot be read at this moment keeps its last numbers; opening it tells why
        () => undefined,
      );
    }, POLL_MS);
    return () => clearInterval(timer);
  }
}

export const session = new Session();
