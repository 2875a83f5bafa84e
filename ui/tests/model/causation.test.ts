import { expect, it } from "vitest";
import type { CausationNode } from "$lib/bindings/CausationNode";
import { causeRows, laneDots } from "$lib/model/causation";

const node = (position: number, cause: number | null): CausationNode => ({
  event: { position, stream: "order-1", version: position, type: `T${position}`, time: "2024-01-01T00:00:00Z" },
  actor: null, cause, causation: null, edge: cause === null ? null : position % 2 ? "recorded" : "inferred", depth: 0,
});
const shape = (nodes: CausationNode[]) => causeRows(nodes).map((row) => `${" ".repeat(row.level)}${row.node.event.position}${row.last ? "" : "+"}`);

it("each_event_stands_under_its_cause", () => {
  expect(shape([node(1, null), node(2, 1), node(3, 2), node(4, 1), node(5, null)])).toEqual(["1", " 2+", "  3", " 4", "5"]);
});

it("line_to_a_later_sibling_passes_the_rows_between_in_its_own_kind", () => {
  const rows = causeRows([node(1, null), node(2, 1), node(3, 2), node(4, 1)]);
  expect(rows.map((row) => row.passing)).toEqual([[], [], ["inferred"], []]);
});

it("causes_in_a_circle_are_each_drawn_once", () => {
  expect(shape([node(1, 2), node(2, 1), node(3, 3)])).toEqual(["3", "1", " 2"]);
});

it("cause_outside_the_list_makes_a_root", () => {
  expect(shape([node(7, 99)])).toEqual(["7"]);
});

it("events_of_one_instant_share_a_step_unless_they_share_a_lane", () => {
  const event = (position: number, time: string) => ({ position, stream: null, version: 1, type: "T", time });
  const { dots, steps } = laneDots({
    correlation: "c", events_count: 4, shown: 4,
    lanes: [
      { stream: "a", events: [event(1, "2024-01-01T00:00:00Z"), event(3, "2024-01-01T00:00:01Z"), event(4, "2024-01-01T00:00:01Z")] },
      { stream: "b", events: [event(2, "2024-01-01T00:00:00Z")] },
    ],
  });
  expect([steps, dots.map((dot) => [dot.event.position, dot.lane, dot.step])]).toEqual([3, [[1, 0, 0], [2, 1, 0], [3, 0, 1], [4, 0, 2]]]);
});
