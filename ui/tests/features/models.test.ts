import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { beforeEach, expect, it } from "vitest";
import { navigation } from "$lib/app/navigation.svelte";
import { session } from "$lib/app/session.svelte";
import { editing } from "$lib/features/models/editing.svelte";
import { host, useTransport } from "$lib/host/client";
import { createMock } from "$lib/host/mock/transport";
import ModelsView from "$lib/views/ModelsView.svelte";

const value = (path: string) => document.querySelector(`[data-testid=preview-value][data-path="${path}"] .value`)?.textContent;

beforeEach(async () => {
  useTransport(createMock({ extra: 0, open: true }));
  editing.close();
  await session.openWith("guide", () => host.openStore("guide.annals"));
});

async function account() {
  navigation.open("#/models?model=account&stream=account-12345");
  render(ModelsView);
  await waitFor(() => expect(value("balance")).toBe("1247.83"));
}

it("stream_is_folded_with_the_text_as_it_is_typed", async () => {
  await account();
  editing.text = editing.text.replace('"balance.sub"', '"balance.add"');
  await waitFor(() => expect(value("balance")).toBe("1752.17"));
});

it("fault_is_said_with_its_place_and_the_last_state_stays", async () => {
  await account();
  editing.text += "\nnonsense";
  await waitFor(() => expect(screen.getByTestId("model-fault").textContent).toContain("Line 16, column 1:"));
  expect([value("balance"), screen.getByTestId("preview-asof").dataset["stale"]]).toEqual(["1247.83", "true"]);
  expect(screen.getByTestId<HTMLButtonElement>("model-save").disabled).toBe(true);
});

it("draft_is_saved_beside_the_store_and_then_listed", async () => {
  navigation.open("#/models?draft=user");
  render(ModelsView);
  await waitFor(() => expect(value("name")).toBe("John Smith"));
  await fireEvent.click(screen.getByTestId("model-save"));
  await waitFor(() => expect(screen.getByTestId("model-says").textContent).toContain("Saved as user.toml"));
  expect(document.querySelector('[data-testid=model-row][data-name="user"]')).toBeTruthy();
  await waitFor(() => expect(session.models, "the overview lists it too").toContain("user"));
});

it("check_says_on_how_much_it_was_tried_and_for_which_text", async () => {
  await account();
  editing.text = editing.text.replace("[on.WithdrawalMade]", "[on.Nothing]");
  await fireEvent.click(screen.getByTestId("model-run-check"));
  await waitFor(() => expect(screen.getByTestId("model-check").textContent).toContain("Tried on 5 events of 1 stream"));
  expect(screen.getByTestId("model-check").textContent).toContain("no handler for WithdrawalMade");
  expect(screen.getByTestId("model-check").textContent).toContain("Nothing");
  editing.text += "# more";
  await waitFor(() => screen.getByText("of an earlier text"));
});

it("unsaved_words_are_not_lost_without_a_question", async () => {
  await account();
  editing.text += "# mine";
  navigation.patch({ model: null, draft: "user" });
  await waitFor(() => screen.getByText("Discard what was typed in account.toml?"));
  expect(editing.text.endsWith("# mine")).toBe(true);
  await fireEvent.click(screen.getByText("Keep editing"));
  expect(navigation.params["model"]).toBe("account");
});

it("shapes_tell_fields_versions_and_events_of_every_type_and_lead_to_them", async () => {
  navigation.open("#/models");
  render(ModelsView);
  await fireEvent.click(screen.getByTestId("model-shapes"));
  expect(navigation.params["shapes"]).toBe("*");
  await waitFor(() => expect(screen.getByTestId("shapes-looked").textContent).toContain("all that the log holds"));
  navigation.patch({ shapes: "account" });
  await waitFor(() => expect(screen.getByTestId("shapes-looked").textContent).toContain("3 types in 5 events, all that the category holds"));
  const deposit = document.querySelector('[data-testid=shape][data-type="DepositMade"]');
  const field = deposit?.querySelector('[data-testid=shape-field][data-path="amount"]');
  expect(field?.textContent).toContain("amount");
  const links = [...(field?.querySelectorAll("a") ?? [])].map((link) => link.getAttribute("href"));
  expect(links).toEqual([expect.stringContaining("#/events?e="), expect.stringContaining("#/events?e=")]);
  await fireEvent.input(screen.getByTestId("shapes-filter"), { target: { value: "opened" } });
  await waitFor(() => expect(screen.getAllByTestId("shape").map((shape) => shape.dataset["type"])).toEqual(["AccountOpened"]));
});
