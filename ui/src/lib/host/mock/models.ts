/** The mock's models: handlers of plain paths, constants, `add` and `sub`. To draw an editor with, not to trust. */

import type { ModelCheckView } from "$lib/bindings/ModelCheckView";
import type { ModelErrorView } from "$lib/bindings/ModelErrorView";
import type { ModelSaveArgs } from "$lib/bindings/ModelSaveArgs";
import type { ModelsView } from "$lib/bindings/ModelsView";
import type { ModelPreviewView } from "$lib/bindings/ModelPreviewView";
import type { ShapesView } from "$lib/bindings/ShapesView";
import type { StateView } from "$lib/bindings/StateView";
import { entriesOf, ExactNumber, type Json } from "$lib/model/json";
import { HostError } from "../errors";
import type { MockEvent } from "./data";
import { changesBetween, toCents } from "./fold";

const ACCOUNT = `# account.toml: how the events of an account become its state
category = "account"

[on.AccountOpened]
accountId = "data.accountId"
currency  = "data.currency"
status    = "'open'"
balance   = "data.initialBalance"

[on.DepositMade]
"balance.add" = "data.amount"

[on.WithdrawalMade]
"balance.sub" = "data.amount"
`;

type Handlers = Map<string, [field: string, operation: string, expression: string][]>;

export class MockModels {
  private files = new Map([["account", ACCOUNT]]);

  list(): ModelsView {
    return { folder: "/home/you/Annals/guide.annals.d/models", models: [...this.files.keys()].sort().map((name) => this.row(name)) };
  }

  text(name: string) {
    const text = this.files.get(name);
    if (text === undefined) throw new HostError("not_found", `there is no model ${name}`);
    return { row: this.row(name), text };
  }

  save({ name, text, replace }: ModelSaveArgs) {
    if (this.files.has(name) && !replace) throw new HostError("exists", `there is a model ${name} already`);
    this.files.set(name, text);
    return this.row(name);
  }

  draft(category: string, log: readonly MockEvent[]): string | null {
    const types = [...new Set(log.filter((event) => event.category === category).map((event) => event.type))];
    if (types.length === 0) return null;
    const handlers = types.map((type) => {
      const fields = entriesOf(log.find((event) => event.category === category && event.type === type)?.data ?? null) ?? [];
      return `[on.${type}]\n${fields.map(([key]) => `${key} = "data.${key}"`).join("\n")}\n`;
    });
    return `# ${category}.toml: a draft from the data\ncategory = "${category}"\n\n${handlers.join("\n")}`;
  }

  preview(text: string, state: StateView, events: readonly MockEvent[]): ModelPreviewView {
    const read = parse(text);
    if ("message" in read) return { error: read, state: null };
    const then = foldWith(read, events);
    return {
      error: null,
      state: {
        ...state,
        model: { name: "draft", hash: "ab".repeat(32), inferred: false },
        state: then,
        changed: changesBetween(foldWith(read, events.slice(0, -1)), then),
        findings: events.some((event) => !read.has(event.type))
          ? [{ kind: "no_handler", severity: "warning", count: 1, place: { stream: state.stream, version: 1 }, detail: "the model has no handler for a type of this stream." }]
          : [],
      },
    };
  }

  check(text: string, log: readonly MockEvent[]): ModelCheckView {
    const read = parse(text);
    const category = /^category\s*=\s*"([^"]*)"/m.exec(text)?.[1] ?? null;
    const none = { name: "draft", error: null, model: null, category, streams: 0, events: 0, failed: 0, types: [], unused: [], findings: [], problems: true };
    if ("message" in read) return { ...none, error: read };
    const events = log.filter((event) => event.category === category);
    const types = [...new Set(events.map((event) => event.type))];
    const unhandled = events.filter((event) => !read.has(event.type));
    return {
      ...none,
      streams: new Set(events.map((event) => event.stream)).size,
      events: events.length,
      types: types.map((type) => ({ type, schema_version: null, events: events.filter((event) => event.type === type).length, failed: 0, handled: read.has(type), upcast: [] })),
      unused: [...read.keys()].filter((type) => !types.includes(type)),
      findings: unhandled.slice(0, 1).map((event) => ({ kind: "no_handler", severity: "warning", count: unhandled.length, place: { stream: event.stream, version: event.version, position: event.position }, detail: `no handler for ${event.type}: its events change nothing.` })),
      problems: unhandled.length > 0,
    };
  }

  shapes(category: string | null, log: readonly MockEvent[]): ShapesView {
    const events = log.filter((event) => category === null || event.category === category);
    const seen = (some: readonly MockEvent[]) => ({ count: some.length, first: some[0]?.position ?? 0, last: some.at(-1)?.position ?? 0 });
    const types = [...new Set(events.map((event) => event.type))].sort().map((type) => {
      const own = events.filter((event) => event.type === type);
      const keys = [...new Set(own.flatMap((event) => (entriesOf(event.data) ?? []).map(([key]) => key)))];
      const having = (key: string) => own.filter((event) => (entriesOf(event.data) ?? []).some(([other]) => other === key));
      return {
        type,
        versions: [{ schema_version: null, seen: seen(own) }],
        events: own.length,
        unreadable: 0,
        fields: keys.map((path) => ({ path, seen: seen(having(path)), kinds: [{ kind: "text", seen: seen(having(path)) }] })),
        more_fields: 0,
      };
    });
    return { category, types, looked_at: events.length, findings: [] };
  }

  private row(name: string) {
    const text = this.files.get(name) ?? "";
    const read = parse(text);
    const broken = "message" in read;
    return {
      file: `${name}.toml`,
      model: broken ? null : { name, hash: "9f".repeat(32), inferred: false },
      category: /^category\s*=\s*"([^"]*)"/m.exec(text)?.[1] ?? null,
      types: broken ? [] : [...read.keys()],
      error: broken ? `${name}.toml:${read.line}:${read.column}: ${read.message}` : null,
    };
  }
}

function parse(text: string): Handlers | ModelErrorView {
  const handlers: Handlers = new Map();
  let type: string | null = null;
  for (const [i, line] of text.split("\n").entries()) {
    const bare = line.trim();
    if (bare === "" || bare.startsWith("#")) continue;
    const section = /^\[on\.(\w+)\]$/.exec(bare);
    const pair = /^"?([\w]+)(?:\.(\w+))?"?\s*=\s*"([^"]*)"$/.exec(bare);
    if (section) handlers.set((type = section[1] ?? ""), []);
    else if (!pair) return { line: i + 1, column: line.length - line.trimStart().length + 1, message: "expected `key = \"expression\"` or `[on.Type]`" };
    else if (type !== null) handlers.get(type)?.push([pair[1] ?? "", pair[2] ?? "set", pair[3] ?? ""]);
  }
  return handlers;
}

function foldWith(handlers: Handlers, events: readonly MockEvent[]): { [key: string]: Json } {
  const state: { [key: string]: Json } = {};
  for (const event of events) {
    for (const [field, operation, expression] of handlers.get(event.type) ?? []) {
      const constant = /^'(.*)'$/.exec(expression)?.[1];
      const value = constant ?? (entriesOf(event.data) ?? []).find(([key]) => `data.${key}` === expression)?.[1] ?? null;
      if (operation === "set") state[field] = value;
      else {
        const cents = toCents(state[field]) + (operation === "sub" ? -1n : 1n) * toCents(value);
        state[field] = new ExactNumber(`${cents / 100n}.${String(cents % 100n).padStart(2, "0")}`);
      }
    }
  }
  return state;
}
