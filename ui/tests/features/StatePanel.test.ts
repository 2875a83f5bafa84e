import { render, screen, waitFor } from "@testing-library/svelte";
import { expect, it } from "vitest";
import StatePanel from "$lib/features/stream/StatePanel.svelte";
import { useTransport } from "$lib/host/client";
import type { Transport } from "$lib/host/commands";
import { createMock } from "$lib/host/mock/transport";

const balance = () => document.querySelector('[data-testid=state-value][data-path="balance"] .value')?.textContent;
const asOf = () => screen.getByTestId("state-asof").textContent?.replace(/\s+/g, " ").trim();

it.each([
  [1, "0.00"],
  [2, "1000.00"],
  [3, "950.00"],
  [4, "1450.00"],
  [5, "1247.83"],
])("balance_after_version_%i_is_shown_digit_for_digit", async (version, text) => {
  useTransport(createMock({ extra: 0 }));
  render(StatePanel, { stream: "account-12345", moment: { version } });
  await waitFor(() => expect(balance()).toBe(text));
});

it("changed_value_is_marked_by_sign_word_and_old_value", async () => {
  useTransport(createMock({ extra: 0 }));
  render(StatePanel, { stream: "account-12345", moment: { version: 3 } });
  await waitFor(() => expect(balance()).toBe("950.00"));
  const row = document.querySelector('[data-path="balance"]');
  expect(row?.getAttribute("data-mark")).toBe("changed");
  expect(row?.querySelector(".mark")?.textContent).toBe("●changed");
  expect(row?.querySelector(".before")?.textContent).toContain("1000.00");
});

it("label_names_the_as_of_that_the_answer_is_for", async () => {
  useTransport(createMock({ extra: 0 }));
  render(StatePanel, { stream: "account-12345", moment: { at: "2024-01-05T00:00:00Z" } });
  await waitFor(() => expect(asOf()).toBe("Version 3 as of 2024-01-05 00:00:00 UTC 3 of 5 events folded"));
});

it("inferred_state_says_so_and_incomplete_state_warns", async () => {
  useTransport(createMock({ extra: 0 }));
  render(StatePanel, { stream: "trade-t-100", moment: {} });
  await waitFor(() => screen.getByText("inferred"));
  expect(screen.getByRole("alert").textContent).toContain("incomplete");
  expect(asOf()).toContain("folded, 1 failed");
});

it("old_state_stays_until_the_newer_one_is_there", async () => {
  const mock = createMock({ extra: 0 });
  let release: () => void = () => undefined;
  let hold = false;
  const slow: Transport = {
    async call(command, args) {
      if (hold) await new Promise<void>((done) => (release = done));
      return mock.call(command, args);
    },
  };
  useTransport(slow);
  const { rerender } = render(StatePanel, { stream: "account-12345", moment: { version: 2 } });
  await waitFor(() => expect(balance()).toBe("1000.00"));
  hold = true;
  await rerender({ stream: "account-12345", moment: { version: 3 } });
  expect([balance(), asOf()?.startsWith("Version 2")]).toEqual(["1000.00", true]);
  release();
  await waitFor(() => expect(balance()).toBe("950.00"));
});

it("stream_that_does_not_exist_is_an_error_with_a_hint", async () => {
  useTransport(createMock({ extra: 0 }));
  render(StatePanel, { stream: "nobody-1", moment: {} });
  await waitFor(() => expect(screen.getByTestId("error").getAttribute("data-code")).toBe("no_stream"));
  expect(screen.getByTestId("error").textContent).toContain("another store");
});
