import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { expect, it, vi } from "vitest";
import CommandConsole from "$lib/features/shell/CommandConsole.svelte";
import { useTransport } from "$lib/host/client";
import { createMock } from "$lib/host/mock/transport";

const choose = (name: string) => fireEvent.change(screen.getByTestId("console-name"), { target: { value: name } });
const send = () => fireEvent.click(screen.getByTestId("console-send"));

it("a_rejection_names_the_rule_and_leads_to_the_events_behind_it", async () => {
  useTransport(createMock({ extra: 0, open: true }));
  render(CommandConsole, { onclose: vi.fn() });
  await waitFor(() => screen.getByTestId("console-name"));
  await choose("CancelOrder");
  await send();
  const rejected = await waitFor(() => screen.getByTestId("console-rejected"));
  expect(rejected.textContent).toContain("no-change-after-shipped");
  expect(rejected.querySelector("li a")?.getAttribute("href")).toContain("e=2");
  expect(screen.getByTestId("console-rejected-stream").getAttribute("href")).toBe("#/stream/order-789?v=2");
  await choose("PlaceOrder");
  expect(screen.queryByTestId("console-rejected")).toBeNull();
  await send();
  await waitFor(() => expect(screen.getByTestId("console-done").textContent).toContain("OrderPlaced"));
});

it("a_log_that_is_not_of_a_sample_world_takes_no_command", async () => {
  useTransport({ call: () => Promise.resolve({ world: null, commands: [] }) });
  render(CommandConsole, { onclose: vi.fn() });
  await waitFor(() => screen.getByTestId("console-refused"));
  expect(screen.queryByTestId("console-send")).toBeNull();
});

it("the_same_command_sent_twice_keeps_its_id_until_something_in_it_changes", async () => {
  const ids: string[] = [];
  useTransport({
    call: (command, args) => {
      if (command === "command_names") return Promise.resolve({ world: "shop", commands: ["PlaceOrder"] });
      const { id } = args as { id: string };
      ids.push(id);
      return Promise.resolve({ id, name: "PlaceOrder", events: [], repeated: ids.length > 1, rejected: null });
    },
  });
  render(CommandConsole, { onclose: vi.fn() });
  await waitFor(() => screen.getByTestId("console-name"));
  await send();
  await waitFor(() => expect(ids.length).toBe(1));
  await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>("console-send").disabled).toBe(false));
  await send();
  await waitFor(() => expect(ids.length).toBe(2));
  await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>("console-send").disabled).toBe(false));
  await fireEvent.input(screen.getByTestId("console-data"), { target: { value: '{"a":1}' } });
  await send();
  await waitFor(() => expect(ids.length).toBe(3));
  expect(ids[1]).toBe(ids[0]);
  expect(ids[2]).not.toBe(ids[0]);
});
