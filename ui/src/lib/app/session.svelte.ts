/** The open store: what it holds, and noticing that it grows. */

import type { ActorRow } from "$lib/bindings/ActorRow";
import { untrack } from "svelte";
import type { FollowView } from "$lib/bindings/FollowView";
import type { InfoView } from "$lib/bindings/InfoView";
import { host } from "$lib/host/client";
import { HostError } from "$lib/host/errors";
import type { ModelsView } from "$lib/bindings/ModelsView";
import type { OpenView } from "$lib/bindings/OpenView";
import type { RecentStore } from "$lib/bindings/RecentStore";
import type { StartView } from "$lib/bindings/StartView";
import { nameOf } from "$lib/model/paths";
import type { ViewName } from "$lib/model/route";
import { navigation } from "./navigation.svelte";
import { settings } from "./settings.svelte";
import { timeCursor } from "./timeCursor.svelte";

/** Least time between two drawings of a log that grows. */
const DRAW_MS = 400;
/** Revisions whose head is remembered: more than any answer is late. */
const KEPT_HEADS = 50;
/** Views that are of use without a store. */
export const NEEDS_NO_STORE: readonly ViewName[] = ["start", "import", "settings"];

class Session {
  start = $state.raw<StartView | null>(null);
  path = $state<string | null>(null);
  info = $state.raw<InfoView | null>(null);
  actors = $state.raw<ActorRow[]>([]);
  models = $state.raw<string[]>([]);
  modelErrors = $state.raw<string[]>([]);
  /** Stays what it is while the log grows: what depends on it need not look again. */
  readonly open = $derived(this.info !== null);
  error = $state.raw<HostError | null>(null);
  busy = $state<string | null>(null);
  /** Lists that depend on it read again. */
  revision = $state(0);
  /** Where the log stands, told by the host as it grows. */
  private following = $state.raw<FollowView | null>(null);
  /** The host has stopped telling. */
  lost = $state(false);
  /** Head of the log that a panel shows, for each that is on screen. */
  private drawn = $state.raw<ReadonlyMap<string, number>>(new Map());
  /** Head of the log when a revision began. */
  private heads = new Map<number, number>();
  private turn = 0;
  private catching = false;

  get name(): string {
    return this.path === null ? "" : nameOf(this.path);
  }

  /** Events in the log, drawn or not. */
  get head(): number {
    return Math.max(this.following?.head ?? 0, this.info?.events ?? 0);
  }

  /** Events that the window holds no numbers of yet: in the past they wait. */
  get newEvents(): number {
    return this.head - (this.info?.events ?? 0);
  }

  /** Events that some panel on screen does not show yet. */
  get behind(): number {
    return this.head - Math.min(this.info?.events ?? 0, ...this.drawn.values());
  }

  /** Head of the log when a revision began; that of now where it is long ago. */
  headOf(revision: number): number {
    return this.heads.get(revision) ?? this.head;
  }

  /** Events a second, over the last seconds. */
  get rate(): number {
    return this.following?.events_per_second ?? 0;
  }

  /** What other programs append is seen. */
  get follows(): boolean {
    return !this.lost && (this.following?.live ?? true);
  }

  /** How far the text index is. */
  get index(): { indexed: number; indexing: boolean; notes: string[] } {
    const view = this.following;
    return { indexed: view?.indexed ?? 0, indexing: view?.indexing ?? false, notes: view?.notes ?? [] };
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
    this.drawn = new Map();
    this.refresh();
    this.follow();
  }

  /** A model was saved: which categories have one may have changed, and so may every state. */
  takeModels({ models }: ModelsView): void {
    const declared = new Set(models.filter((row) => row.error === null).map((row) => row.category));
    this.models = (this.info?.categories ?? []).map((row) => row.name).filter((name) => declared.has(name));
    this.modelErrors = models.flatMap((row) => row.error ?? []);
    this.refresh();
  }

  /** Follows again what the host stopped telling of, and draws what came meanwhile. */
  async followAgain(): Promise<void> {
    this.follow();
    try {
      await this.reload();
    } catch (cause) {
      this.error = HostError.from(cause);
    }
  }

  private follow(): void {
    const turn = ++this.turn;
    this.following = null;
    this.lost = false;
    const ended = () => {
      if (turn === this.turn) this.lost = true;
    };
    host
      .follow((view) => {
        if (turn !== this.turn) return;
        this.following = view;
        void this.catchUp();
      })
      // a store that can no longer be followed keeps its last numbers, and the bar says that it is not live
      .then(ended, ended);
  }

  /** While live, what came is drawn at once; in the past nothing moves. */
  private async catchUp(): Promise<void> {
    if (this.catching) return;
    this.catching = true;
    try {
      while (this.newEvents > 0 && timeCursor.live && this.busy === null && document.visibilityState === "visible") {
        const turn = this.turn;
        const info = await host.info();
        if (turn !== this.turn) continue;
        this.info = info;
        this.refresh();
        await new Promise((done) => setTimeout(done, DRAW_MS));
      }
    } catch {
      // the next word of the host tries again
    } finally {
      this.catching = false;
    }
  }

  /** Draws what came as soon as the reader is live again or looks again. Returns the clean-up. */
  watch(): () => void {
    const look = () => void this.catchUp();
    if (timeCursor.live) untrack(look);
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }

  /** Lets a panel say which revision it shows, for as long as it is on screen. To be called while it is set up. */
  panel(name: string, revision: () => number | undefined): void {
    $effect(() => {
      const head = this.heads.get(revision() ?? -1);
      if (head !== undefined) untrack(() => (this.drawn = new Map(this.drawn).set(name, head)));
    });
    $effect(() => () => (this.drawn = new Map([...this.drawn].filter(([other]) => other !== name))));
  }

  /** Reads the lists again, with everything that has come. */
  refresh(): void {
    this.revision++;
    this.heads.set(this.revision, this.info?.events ?? 0);
    this.heads.delete(this.revision - KEPT_HEADS);
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
}

export const session = new Session();
