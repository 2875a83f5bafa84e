/** How text is copied: set once when the app starts, since the host does it. */

let write: (text: string) => Promise<unknown> = async () => undefined;

export function setClipboard(copy: (text: string) => Promise<unknown>): void {
  write = copy;
}

export function copyText(text: string): Promise<unknown> {
  return write(text);
}
