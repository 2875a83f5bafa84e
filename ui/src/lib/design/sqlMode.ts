/**
 * Colours for SQL. The mode of legacy-modes cannot be used: it keeps words as keys of plain objects, `constructor` among
 * them, which the frozen prototypes of the app's pages do not allow.
 */

import type { StreamParser } from "@codemirror/language";

const KEYWORDS = new Set(
  "all and as asc between by case cast collate cross current desc distinct else end escape except exists explain filter following from full glob group having in inner intersect is isnull join left like limit materialized natural not notnull null nulls offset on or order outer over partition plan preceding query range recursive regexp right row rows select then unbounded union using values when where window with".split(" "),
);

interface State {
  /** Inside of a comment of several lines, or of a text or name with this quote. */
  within: "*/" | "'" | '"' | "`" | "]" | null;
}

const KINDS = { "*/": "comment", "'": "string", '"': "variableName", "`": "variableName", "]": "variableName" } as const;

export const sqlMode: StreamParser<State> = {
  startState: () => ({ within: null }),
  token(stream, state) {
    if (state.within === null) {
      if (stream.eatSpace()) return null;
      if (stream.match("--")) {
        stream.skipToEnd();
        return "comment";
      }
      if (stream.match("/*")) state.within = "*/";
      else if (stream.match(/^['"`]/)) state.within = stream.current() as "'" | '"' | "`";
      else if (stream.eat("[")) state.within = "]";
      else if (stream.match(/^(?:\d[\w.]*|\.\d+)/)) return "number";
      else if (stream.match(/^[:@$?]\w*/)) return "atom";
      else if (stream.match(/^[\w\u0080-\uffff]+/)) return KEYWORDS.has(stream.current().toLowerCase()) ? "keyword" : "variableName";
      else {
        stream.next();
        return null;
      }
    }
    const end = state.within;
    // a quote written twice ends one text and begins another, which looks the same
    if (end !== null) {
      if (stream.skipTo(end)) {
        stream.match(end);
        state.within = null;
      } else stream.skipToEnd();
      return KINDS[end];
    }
    return null;
  },
};
