import { describe, expect, it } from "vitest";
import * as explain from "$lib/model/explain";
import { formatRoute, parseRoute, patchParams } from "$lib/model/route";
import { ExactNumber } from "$lib/model/json";

const paramsOf = (patch: Record<string, string | null>) => parseRoute(formatRoute({ view: "stream", arg: "order-1", params: patchParams({}, patch) })).params;

describe("the value in the address", () => {
  it.each(["balance", "items[0].price", 'case["concept:name"]', '["$"]', "", "größe & co = 1"])("path_%s_survives_the_address", (path) => {
    expect(explain.pathFromParams(paramsOf({ why: explain.pathToParam(path) }))).toBe(path);
  });

  it("panel_is_why_as_soon_as_a_value_is_named_unless_another_is", () => {
    expect(explain.sideFromParams({})).toBe("diff");
    expect(explain.sideFromParams({ why: "balance" })).toBe("why");
    expect(explain.sideFromParams({ why: "balance", side: "history" })).toBe("history");
    expect(explain.sideFromParams({ why: "balance", side: "nonsense" })).toBe("why");
  });
});

describe("what is tried", () => {
  it("left_out_and_edited_events_survive_the_address", () => {
    let trial: explain.Trial = { without: [], edits: [] };
    trial = explain.leaveOut(trial, 12);
    trial = explain.leaveOut(trial, 3);
    trial = explain.edit(trial, 7, '{"amount": 10.00, "note": "a,b&c"}');
    expect(explain.trialFromParams(paramsOf(explain.trialToParams(trial)))).toEqual({
      without: [3, 12],
      edits: [{ position: 7, json: '{"amount": 10.00, "note": "a,b&c"}' }],
    });
  });

  it("an_event_is_either_left_out_or_edited", () => {
    const edited = explain.edit({ without: [3], edits: [] }, 3, "{}");
    expect(edited).toEqual({ without: [], edits: [{ position: 3, json: "{}" }] });
    expect(explain.leaveOut(edited, 3)).toEqual({ without: [3], edits: [] });
    expect(explain.isEmpty(explain.putBack(edited, 3))).toBe(true);
  });

  it.each([[{ without: "x,0,-1,2,2" }], [{ without: "2", edits: "{" }], [{ without: "2", edits: '[1,["a","b"],[3]]' }]])("what_cannot_be_read_is_left_away", (params) => {
    expect(explain.trialFromParams(params)).toEqual({ without: [2], edits: [] });
  });
});

it("change_keeps_its_digits_and_says_its_direction", () => {
  expect(explain.deltaText(new ExactNumber("1000.00"), false)).toBe("+1000.00");
  expect(explain.deltaText(new ExactNumber("-202.17"), false)).toBe("-202.17");
  expect(explain.deltaText(new ExactNumber("0.00"), true)).toBe("= 0.00");
  expect(explain.deltaText(null, true)).toBe("");
});
