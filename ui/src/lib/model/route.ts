/** Addresses: each view, with its as-of and filters, as a hash that can be cited and reopened. */

export const VIEWS = ["start", "overview", "streams", "stream", "object", "events", "questions", "sql", "models", "dashboards", "reports", "integrity", "import", "settings"] as const;
export type ViewName = (typeof VIEWS)[number];
export type Params = Readonly<Record<string, string>>;

export interface Route {
  view: ViewName;
  /** The stream of a stream view, the object of an object view. */
  arg: string | null;
  params: Params;
}

/** Whether a text is an address of a view, alone or at the end of a longer one. */
export function isAddress(text: string): boolean {
  const hash = text.trim().replace(/^[^#]*#/, "#");
  return VIEWS.some((view) => view !== "start" && new RegExp(`^#/${view}(?=[/?]|$)`).test(hash));
}

/** Parameters that go along from view to view. */
const GLOBAL = ["at", "known", "from", "to"];

/** Reads `#/stream/account-12345?at=2024-01-10T23:59:59Z&v=4`. An unknown address is the start page. */
export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = splitOnce(hash.replace(/^#?\/?/, ""), "?");
  const [name = "", rest = ""] = splitOnce(path, "/");
  const view = VIEWS.find((known) => known === name) ?? "start";
  const params: Record<string, string> = {};
  for (const [key, value] of new URLSearchParams(search)) if (value !== "") params[key] = value;
  return { view, arg: (view === "stream" || view === "object") && rest !== "" ? decode(rest) : null, params };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Writes the address; colons stay readable. */
export function formatRoute(route: Route): string {
  const arg = route.arg === null ? "" : `/${encode(route.arg)}`;
  const pairs = Object.entries(route.params).map(([key, value]) => `${encode(key)}=${encode(value)}`);
  return `#/${route.view}${arg}${pairs.length ? `?${pairs.join("&")}` : ""}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/%3A/gi, ":").replace(/%2C/gi, ",");
}

/** The parameters that another view keeps: the as-of and the range. */
export function globalParams(params: Params): Params {
  return Object.fromEntries(Object.entries(params).filter(([key]) => GLOBAL.includes(key)));
}

/** Sets and, with `null`, removes parameters. */
export function patchParams(params: Params, patch: Record<string, string | null>): Params {
  const next = { ...params, ...patch };
  return Object.fromEntries(Object.entries(next).filter((pair): pair is [string, string] => pair[1] !== null && pair[1] !== ""));
}
