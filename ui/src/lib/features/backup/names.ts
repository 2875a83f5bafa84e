/** Names offered for copies of a store. */

function named(store: string, ending: string): string {
  return `${store.replace(/\.annals$/, "")}${ending}.annals`;
}

export function backupName(store: string): string {
  return named(store, "-backup");
}

export function restoredName(store: string): string {
  return named(store.replace(/-backup(?=(\.annals)?$)/, ""), "-restored");
}
