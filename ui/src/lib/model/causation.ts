/** Causes and effects as the rows of a tree, and a correlation as lanes in order of time. */

import type { CausationNode } from "$lib/bindings/CausationNode";
import type { EdgeKind } from "$lib/bindings/EdgeKind";
import type { EventBrief } from "$lib/bindings/EventBrief";
import type { LanesView } from "$lib/bindings/LanesView";
import { compareInstants } from "./instant";

export interface CauseRow {
  node: CausationNode;
  /** Steps from its root: 0 for a root. */
  level: number;
  /** For each level above it, the edge that goes on below this row; `null`: none. */
  passing: (EdgeKind | null)[];
  /** It is the last effect of its cause. */
  last: boolean;
}

/** The word for an edge: colour and line are not the only sign. */
export const EDGE_WORDS: Record<EdgeKind, string> = {
  recorded: "recorded cause",
  inferred: "inferred cause",
  outside: "caused from outside",
};

/** Each event under its cause. An event whose cause is not among them is a root; none is left out. */
export function causeRows(nodes: readonly CausationNode[]): CauseRow[] {
  const known = new Set(nodes.map((node) => node.event.position));
  const effects = new Map<number | null, CausationNode[]>();
  for (const node of nodes) {
    const cause = node.cause !== null && known.has(node.cause) && node.cause !== node.event.position ? node.cause : null;
    effects.set(cause, [...(effects.get(cause) ?? []), node]);
  }
  const rows: CauseRow[] = [];
  const seen = new Set<number>();
  const waiting = [...(effects.get(null) ?? [])].reverse().map((node): CauseRow => ({ node, level: 0, passing: [], last: true }));
  const drain = () => {
    for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
      if (seen.has(row.node.event.position)) continue;
      seen.add(row.node.event.position);
      rows.push(row);
      const { level, last, passing, node } = row;
      const children = effects.get(node.event.position) ?? [];
      // what passes below this row at its own level: the line to its later siblings
      const below = level === 0 ? [] : [...passing, last ? null : node.edge];
      children.map((child, i): CauseRow => ({ node: child, level: level + 1, passing: below, last: i === children.length - 1 })).reverse().forEach((child) => waiting.push(child));
    }
  };
  drain();
  // causes that run in a circle have no root: each is drawn once
  for (const node of nodes) {
    if (seen.has(node.event.position)) continue;
    waiting.push({ node, level: 0, passing: [], last: true });
    drain();
  }
  return rows;
}

export interface Dot {
  event: EventBrief;
  lane: number;
  /** Place among the distinct instants, first is 0. */
  step: number;
}

/** The events of a correlation in order of time; those of one instant share a step unless they share a lane. */
export function laneDots(view: LanesView): { dots: Dot[]; steps: number } {
  const all = view.lanes.flatMap((lane, index) => lane.events.map((event) => ({ event, lane: index })));
  all.sort((a, b) => compareInstants(a.event.time, b.event.time) || a.event.position - b.event.position);
  const dots: Dot[] = [];
  let step = -1;
  let taken = new Set<number>();
  for (const [i, item] of all.entries()) {
    const same = i > 0 && compareInstants(all[i - 1]?.event.time ?? "", item.event.time) === 0;
    if (!same || taken.has(item.lane)) {
      step++;
      taken = new Set();
    }
    taken.add(item.lane);
    dots.push({ ...item, step });
  }
  return { dots, steps: step + 1 };
}
