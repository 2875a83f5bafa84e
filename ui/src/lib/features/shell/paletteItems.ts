/** What the palette reaches: views, actions, and what the open log holds. */

import type { EventDetailView } from "$lib/bindings/EventDetailView";
import type { StreamRow } from "$lib/bindings/StreamRow";
import { navigation } from "$lib/app/navigation.svelte";
import { session } from "$lib/app/session.svelte";
import { settings } from "$lib/app/settings.svelte";
import { timeCursor } from "$lib/app/timeCursor.svelte";
import { wishes } from "$lib/app/wish.svelte";
import { host } from "$lib/host/client";
import { bestOf, fit } from "$lib/model/match";
import { readable, readInstant } from "$lib/model/instant";
import { grouped, plural } from "$lib/model/numbers";
import { formatRoute, isAddress } from "$lib/model/route";
import { focusOn } from "./keys";

export interface Item {
  group: string;
  label: string;
  /** Further words that find it. */
  words?: string;
  note?: string;
  keys?: string;
  run: () => void;
}

export interface Dialogs {
  shortcuts: () => void;
  link: () => void;
  console: () => void;
}

/** What the host found for the typed text. */
export interface Found {
  typed: string;
  streams: StreamRow[];
  event: EventDetailView | null;
}

/** Most items of one kind. */
const MOST = 6;

/** Streams by name, and the event of that id. */
export async function find(typed: string): Promise<Found> {
  const [streams, event] = await Promise.allSettled([
    host.streams({ category: null, match: typed, at: null, known: null, after: null }, MOST),
    host.eventById(typed),
  ]);
  return {
    typed,
    streams: streams.status === "fulfilled" ? streams.value.streams : [],
    event: event.status === "fulfilled" ? event.value : null,
  };
}

export function itemsFor(typed: string, found: Found | null, dialogs: Dialogs): Item[] {
  const text = typed.trim();
  const fixed = [...views(), ...actions(dialogs)];
  if (text === "") return [...fixed, ...stores().slice(0, MOST)];
  const words = (item: Item) => `${item.label} ${item.words ?? ""}`;
  const named = [...bestOf(text, fixed, words, MOST), ...bestOf(text, stores(), words, MOST)];
  const items = [...typedItems(text), ...named, ...(session.open ? [...inLog(text), ...fromHost(text, found)] : [])];
  // what fits best comes first, whole groups at a time, so that no heading stands twice
  const best = new Map<string, number>();
  for (const item of items) best.set(item.group, Math.max(best.get(item.group) ?? -1, item.group === GO ? 99 : item.group === "Search" ? -1 : (fit(text, words(item)) ?? 0)));
  const rank = (item: Item) => best.get(item.group) ?? 0;
  const order = [...best.keys()];
  return items.map((item, i) => ({ item, i })).sort((a, b) => rank(b.item) - rank(a.item) || order.indexOf(a.item.group) - order.indexOf(b.item.group) || a.i - b.i).map((entry) => entry.item);
}

const GO = "Go to";

function views(): Item[] {
  const view = (label: string, keys: string, run: () => void, words = ""): Item => ({ group: "Views", label, keys, words, run });
  const always = [
    view("Import", "g i", () => navigation.go("import"), "files csv wizard load"),
    view("Stores", "g h", () => navigation.open("#/start"), "start open another recent home"),
    view("Settings", "g ,", () => navigation.go("settings"), "preferences zone theme purpose"),
  ];
  if (!session.open) return always;
  return [
    view("Overview", "g o", () => navigation.go("overview"), "counts categories types actors"),
    view("Streams", "g s", () => navigation.go("streams"), "aggregates list"),
    view("Integrity", "g y", () => navigation.go("integrity"), "verify checkpoint sign key tamper root hash"),
    view("Snapshots", "", () => navigation.go("models", null, { snapshots: "all" }), "policies replay advise verify performance"),
    view("Rules over the history", "", () => navigation.go("models", null, { rules: "all" }), "business rules violations check invariants"),
    view("Questions", "g q", () => navigation.go("questions"), "ask count list balance at on during how many which"),
    view("SQL", "g c", () => navigation.go("sql"), "query select tables console saved queries"),
    view("Models", "g m", () => navigation.go("models"), "toml rhai expressions editor"),
    view("Dashboards", "g d", () => navigation.go("dashboards"), "charts panels pictures projections numbers sales"),
    view("Projections", "", () => navigation.go("dashboards", null, { projections: "all" }), "status lag checkpoint pause resume rebuild faults read models"),
    view("Reports", "g r", () => navigation.go("reports"), "compliance audit pdf xlsx sox gdpr hipaa mifid template"),
    view("Events", "g e", () => navigation.go("events"), "log list"),
    ...always,
  ];
}

function actions({ shortcuts, link, console }: Dialogs): Item[] {
  const action = (label: string, run: () => void, words = "", keys?: string): Item => ({ group: "Actions", label, words, run, ...(keys === undefined ? {} : { keys }) });
  const here = () => formatRoute(navigation.route);
  const inStore = session.open
    ? [
        action("Search the events", () => wish("search"), "find text", "/"),
        action("Go to a date or time", () => focusOn("[data-testid=timebar-input]"), "as of instant travel", "t"),
        ...(timeCursor.live ? [] : [action("Back to live", () => timeCursor.backToLive(), "now present", "End")]),
        action("Import files into this store", () => navigation.go("import"), "csv jsonl xes load"),
        action("Export the events shown", () => wish("export"), "save csv jsonl"),
        action("Copy link to this view", () => void host.copyText(here()).catch(link), "address cite"),
        ...(settings.chosen.console ? [action("Send a command", console, "console write append")] : []),
        action("Go to a link", link, "open address", "g l"),
      ]
    : [];
  const theme = (["light", "dark", "system"] as const).map((choice) =>
    action(choice === "system" ? "Theme as the system has it" : `${choice === "light" ? "Light" : "Dark"} theme`, () => void settings.change({ theme: choice }), "colours appearance mode"),
  );
  return [
    ...inStore,
    action("Open the guide sample", () => void openWith("the guide sample", () => host.openSample(), "#/stream/account-12345"), "example demo"),
    ...theme,
    action("Show times in UTC", () => void settings.change({ zone: "UTC" }), "zone"),
    action("Show times in the local zone", () => void settings.change({ zone: "local" }), "zone"),
    action("Keyboard shortcuts", shortcuts, "help keys", "?"),
  ];
}

function wish(what: "export" | "search"): void {
  wishes.make(what);
  if (navigation.view !== "events") navigation.go("events");
}

async function openWith(label: string, open: Parameters<typeof session.openWith>[1], then: string): Promise<void> {
  navigation.open((await session.openWith(label, open)) ? then : "#/start");
}

function stores(): Item[] {
  return (session.start?.recent ?? [])
    .filter((store) => store.exists && store.path !== session.path)
    .map((store) => ({ group: "Recent stores", label: store.name, note: store.path, words: `${store.path} open`, run: () => void openWith(store.path, () => host.openStore(store.path), "#/overview") }));
}

/** What the typed text is in itself: a position, a time, an address. */
function typedItems(text: string): Item[] {
  const items: Item[] = [];
  const go = (label: string, run: () => void, note?: string) => items.push({ group: GO, label, run, ...(note === undefined ? {} : { note }) });
  if (isAddress(text)) go("This link", () => navigation.open(text.slice(text.indexOf("#"))), text);
  if (!session.open) return items;
  const position = /^#?(\d{1,15})$/.exec(text.replace(/[,\s]/g, ""))?.[1];
  if (position !== undefined && Number(position) >= 1 && Number(position) <= (session.info?.events ?? 0)) {
    go(`Event at position ${grouped(Number(position))}`, () => navigation.go("events", null, { e: position }));
    go(`What was known at position ${grouped(Number(position))}`, () => timeCursor.know(Number(position)));
  }
  const instant = readInstant(text);
  if (instant) go(readable(instant.at), () => timeCursor.moveTo(instant.at), instant.reading ?? "as of that instant");
  return items;
}

function inLog(text: string): Item[] {
  const rows = (group: string, param: string, names: readonly { name: string; events: number }[]) =>
    bestOf(text, names, (row) => row.name, MOST).map((row): Item => ({ group, label: row.name, note: plural(row.events, "event"), run: () => navigation.go("events", null, { [param]: row.name }) }));
  const info = session.info;
  return [
    { group: "Search", label: `Search the events for “${text}”`, words: text, run: () => navigation.go("events", null, { text }) },
    ...rows("Types", "type", info?.types ?? []),
    ...rows("Categories", "category", info?.categories ?? []),
    ...rows("Actors", "actor", session.actors),
  ];
}

function fromHost(text: string, found: Found | null): Item[] {
  if (found?.typed !== text) return [];
  const streams = found.streams.map((row): Item => ({ group: "Streams", label: row.stream, note: plural(row.events, "event"), run: () => navigation.go("stream", row.stream) }));
  const objects = found.streams.map((row): Item => ({ group: "Objects", label: row.stream, words: "object attributes qualifiers", note: row.category, run: () => navigation.go("object", row.stream) }));
  const event = found.event?.event;
  if (!event) return [...streams, ...objects];
  return [{ group: GO, label: `Event ${event.id ?? text}`, note: `${event.type}, position ${grouped(event.position)}`, run: () => navigation.go("events", null, { e: String(event.position) }) }, ...streams, ...objects];
}
