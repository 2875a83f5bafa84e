/** Paths of files, as either kind of system writes them. */

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? path;
}
