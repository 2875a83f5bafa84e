import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { afterEach, expect, it } from "vitest";
import { navigation } from "$lib/app/navigation.svelte";
import { session } from "$lib/app/session.svelte";
import { useTransport } from "$lib/host/client";
import { createMock } from "$lib/host/mock/transport";
import QuestionsView from "$lib/views/QuestionsView.svelte";

afterEach(() => navigation.open("#/start"));

async function show(address: string) {
  useTransport(createMock({ open: true, extra: 4 }));
  await session.begin();
  navigation.open(address);
  return render(QuestionsView);
}

const field = () => screen.getByTestId<HTMLInputElement>("question-text");

it("address_asks_and_every_reading_is_shown_with_its_value", async () => {
  await show("#/questions?q=balance+of+account-12345+on+2024-01-10");
  await waitFor(() => expect(screen.getByTestId("answer-value").textContent).toContain("1450"));
  const readings = screen.getAllByTestId("answer-reading").map((row) => row.textContent);
  expect(readings[1]).toContain("at the start of 2024-01-10");
  expect(readings[1]).toContain("950");
  expect(screen.getByTestId("answer-row-stream").getAttribute("href")).toBe("#/stream/account-12345?at=2024-01-10T23:59:59.999999999Z");
  expect(screen.getByTestId("answer-row-event").getAttribute("href")).toBe("#/events?e=7&order=oldest");
});

it("a_reading_opens_by_its_own_question", async () => {
  await show("#/questions?q=balance+of+account-12345+on+2024-01-10");
  await fireEvent.click(await screen.findByTestId("answer-reading-ask"));
  expect(navigation.params["q"]).toBe("balance of account-12345 at start of 2024-01-10");
  expect(field().value).toBe("balance of account-12345 at start of 2024-01-10");
});

it("a_fault_is_marked_and_the_nearest_question_is_taken_by_a_click", async () => {
  await show("#/questions");
  await fireEvent.input(field(), { target: { value: "count order wher status = 'Pending' during 2024-01" } });
  const fault = await screen.findByTestId("question-fault");
  expect(fault.querySelector("mark")?.textContent).toBe("wher");
  expect(screen.getByTestId<HTMLButtonElement>("question-ask").disabled).toBe(true);
  await fireEvent.click(screen.getByTestId("question-nearest"));
  expect(field().value).toBe("count order where status = 'Pending' during 2024-01");
  await waitFor(() => expect(screen.queryByTestId("question-fault")).toBeNull());
  await fireEvent.click(screen.getByTestId("question-ask"));
  await waitFor(() => expect(screen.getByTestId("answer-value").textContent).toContain("5"));
  expect(screen.getAllByTestId("answer-row")).toHaveLength(5);
});

it("the_form_writes_the_text", async () => {
  await show("#/questions");
  await fireEvent.click(screen.getByTestId("question-by-form"));
  const fill = async (id: string, value: string) => fireEvent.input(screen.getByTestId(id), { target: { value } });
  await fireEvent.change(screen.getByTestId("question-kind"), { target: { value: "value" } });
  await fill("question-field", "balance");
  await fill("question-of", "account-12345");
  await fireEvent.change(screen.getByTestId("question-time"), { target: { value: "on" } });
  await fill("question-when", "2024-01-10");
  expect(field().value).toBe("balance of account-12345 on 2024-01-10");
});

it("a_question_is_kept_asked_again_and_thrown_away", async () => {
  await show("#/questions");
  await fireEvent.input(field(), { target: { value: "count order" } });
  await fireEvent.click(screen.getByTestId("question-keep"));
  await fireEvent.input(screen.getByTestId("question-name"), { target: { value: "all" } });
  await fireEvent.click(screen.getByTestId("question-save"));
  const kept = await screen.findByTestId("question-kept");
  expect(kept.textContent).toBe("all");
  await fireEvent.click(kept);
  expect(navigation.params["q"]).toBe("count order");
  await fireEvent.click(screen.getByTestId("questions-all"));
  await fireEvent.click(await screen.findByTestId("question-remove"));
  await waitFor(() => expect(screen.queryByTestId("question-kept")).toBeNull());
});
