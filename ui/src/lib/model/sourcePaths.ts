/** Where files that were imported lay, by the name that a log has of them: a log keeps names and no paths. */

const KEY = "annals.sourcePaths";
/** Names that are remembered, the newest. */
const MOST = 200;

/** Remembers the paths of files by their names. */
export function rememberPaths(paths: readonly string[], nameOf: (path: string) => string): void {
  const known = new Map(Object.entries(read()));
  for (const path of paths) {
    const name = nameOf(path);
    known.delete(name);
    known.set(name, path);
  }
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries([...known].slice(-MOST))));
  } catch {
    // nothing is remembered: the reader will be asked where the file is
  }
}

/** The paths of files of these names; `null` if one is not remembered. */
export function pathsOf(names: readonly string[]): string[] | null {
  const known = new Map(Object.entries(read()));
  const paths = names.map((name) => known.get(name));
  return paths.every((path) => path !== undefined) ? paths : null;
}

function read(): Record<string, string> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    if (kept === null || typeof kept !== "object") return {};
    return Object.fromEntries(Object.entries(kept).filter((pair): pair is [string, string] => typeof pair[1] === "string"));
  } catch {
    return {};
  }
}
