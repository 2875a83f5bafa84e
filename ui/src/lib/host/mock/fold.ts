/** The mock's fold: a balance for accounts, merged payloads for the rest. Enough to draw, not to trust. */

import type { Change } from "$lib/bindings/Change";
import { entriesOf, ExactNumber, writeJson, type Json } from "$lib/model/json";
import { childPath } from "$lib/model/tree";
import type { MockEvent } from "./data";

type State = { [key: string]: Json };

export function fold(events: readonly MockEvent[]): State | null {
  let state: State | null = null;
  for (const event of events) state = event.category === "account" ? account(state ?? {}, event) : merged(state ?? {}, event);
  return state;
}

function account(state: State, event: MockEvent): State {
  const data = event.data as State;
  if (event.type === "AccountOpened") {
    return { accountId: data["accountId"] ?? null, status: "open", currency: data["currency"] ?? null, balance: new ExactNumber("0.00"), transactions: 0 };
  }
  const sign = event.type === "DepositMade" ? 1n : -1n;
  const cents = toCents(state["balance"]) + sign * toCents(data["amount"]);
  const text = `${cents / 100n}.${String(cents % 100n).padStart(2, "0")}`;
  return { ...state, balance: new ExactNumber(text), transactions: Number(state["transactions"] ?? 0) + 1, lastChannel: data["channel"] ?? null };
}

export function toCents(value: Json | undefined): bigint {
  const [whole = "0", fraction = ""] = String(value ?? 0).split(".");
  return BigInt(whole) * 100n + BigInt(fraction.padEnd(2, "0"));
}

function merged(state: State, event: MockEvent): State {
  const next: State = { ...state };
  for (const [key, value] of entriesOf(event.data) ?? []) {
    const changed = /^(old|new)([A-Z])(.*)$/.exec(key);
    if (changed?.[1] === "old") continue;
    if (changed) next[`${changed[2]?.toLowerCase()}${changed[3]}`] = value;
    else next[key] = value;
  }
  return next;
}

export function changesBetween(before: Json | undefined, after: Json | undefined, path = ""): Change[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined || before === null) return after === null ? [] : [{ path, kind: "added", after }];
  if (after === undefined) return [{ path, kind: "removed", before }];
  if (writeJson(before) === writeJson(after)) return [];
  const [old, now] = [entriesOf(before), entriesOf(after)];
  if (!old || !now) return [{ path, kind: "changed", before, after }];
  const was = new Map(old);
  const is = new Map(now);
  return [
    ...now.flatMap(([key, value]) => changesBetween(was.get(key), value, childPath(path, key))),
    ...old.filter(([key]) => !is.has(key)).map(([key, value]): Change => ({ path: childPath(path, key), kind: "removed", before: value })),
  ];
}

/** Members of a state before the first event all count as added. */
export function changedByLast(events: readonly MockEvent[]): Change[] {
  return changesBetween(fold(events.slice(0, -1)) ?? {}, fold(events) ?? {});
}

