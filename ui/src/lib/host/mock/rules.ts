/** Rules over the mock's log: one that no order keeps, so that there is something to see. */

import type { RulesView } from "$lib/bindings/RulesView";
import type { MockEvent } from "./data";
import { brief } from "./views";

export function checkRules(log: readonly MockEvent[]): RulesView {
  const orders = log.filter((event) => event.category === "order");
  const late = orders.filter((event, i) => orders.slice(0, i).some((before) => before.stream === event.stream && before.type === "OrderShipped"));
  const violations = late.map((event) => {
    const shipped = orders.find((before) => before.stream === event.stream && before.type === "OrderShipped");
    return {
      rule: "no-change-after-shipped",
      message: "An order does not change after it was shipped.",
      stream: event.stream,
      version: event.version,
      event: brief(event),
      actor: event.actor,
      looked_at: [{ path: "status", value: "Shipped", set_by: shipped ? brief(shipped) : null }],
    };
  });
  return {
    rules: [
      {
        name: "no-change-after-shipped",
        category: "order",
        model: { name: "order", hash: "ab".repeat(32), inferred: false },
        on: [],
        require: "get(state, 'status', '') != 'Shipped'",
        message: "An order does not change after it was shipped.",
        asked: orders.length,
        violations: violations.length,
        untold: 0,
      },
    ],
    violations,
    violations_count: violations.length,
    streams: new Set(orders.map((event) => event.stream)).size,
    events: orders.length,
    known: log.length,
    findings: [],
    problems: violations.length > 0,
  };
}
