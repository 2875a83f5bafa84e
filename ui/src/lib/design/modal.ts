/** A modal dialog: the browser's own keeps the focus inside and closes on Escape; the focus goes back where it was. */

import type { Attachment } from "svelte/attachments";

export function modal(onclose: () => void): Attachment<HTMLDialogElement> {
  return (dialog) => {
    const before = document.activeElement;
    const cancel = (event: Event) => {
      event.preventDefault();
      onclose();
    };
    const click = (event: Event) => event.target === dialog && onclose();
    dialog.addEventListener("cancel", cancel);
    dialog.addEventListener("click", click);
    dialog.showModal();
    return () => {
      dialog.removeEventListener("cancel", cancel);
      dialog.removeEventListener("click", click);
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  };
}
