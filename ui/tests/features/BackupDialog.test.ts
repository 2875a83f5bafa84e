import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { expect, it } from "vitest";
import BackupDialog from "$lib/features/backup/BackupDialog.svelte";
import { backupName, restoredName } from "$lib/features/backup/names";
import { useTransport } from "$lib/host/client";
import { createMock } from "$lib/host/mock/transport";

function show(kind: "backup" | "restore") {
  useTransport(createMock({ open: true, extra: 40 }));
  const opened: string[] = [];
  render(BackupDialog, { props: { store: "/home/you/Annals/guide.annals", kind, onopen: (path: string) => opened.push(path), onclose: () => undefined } });
  return opened;
}

it("backup_says_what_it_holds_and_can_be_opened", async () => {
  const opened = show("backup");
  expect(screen.getByTestId<HTMLInputElement>("backup-path").value).toBe("/home/you/Annals/guide-backup.annals");
  await fireEvent.click(screen.getByTestId("backup-run"));
  const result = await screen.findByTestId("backup-result", {}, { timeout: 5000 });
  expect(result.textContent).toContain("each hashed again");
  await fireEvent.click(screen.getByTestId("backup-open"));
  expect(opened).toEqual(["/home/you/Annals/guide-backup.annals"]);
});

it("cancelled_restore_leaves_nothing_to_open", async () => {
  show("restore");
  await fireEvent.input(screen.getByTestId("restore-to"), { target: { value: "20" } });
  await fireEvent.click(screen.getByTestId("backup-run"));
  await fireEvent.click(await screen.findByTestId("backup-cancel"));
  await waitFor(() => expect(screen.queryByTestId("backup-cancel")).toBeNull(), { timeout: 5000 });
  expect(screen.queryByTestId("backup-result")).toBeNull();
  expect(screen.queryByTestId("backup-open")).toBeNull();
});

it("names_offered_lie_beside_the_store", () => {
  expect(backupName("/a/shop.annals")).toBe("/a/shop-backup.annals");
  expect(restoredName("/a/shop-backup.annals")).toBe("/a/shop-restored.annals");
  expect(restoredName("shop")).toBe("shop-restored.annals");
});
