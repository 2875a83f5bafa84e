import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { tick } from "svelte";
import { beforeEach, expect, it } from "vitest";
import { navigation } from "$lib/app/navigation.svelte";
import { session } from "$lib/app/session.svelte";
import { sqlConsole } from "$lib/features/sql/console.svelte";
import { host, useTransport } from "$lib/host/client";
import { HostError } from "$lib/host/errors";
import { createMock } from "$lib/host/mock/transport";
import { callOf, cellText, offered, placeOfFault, quoted } from "$lib/model/sql";
import { ExactNumber } from "$lib/model/json";
import SqlView from "$lib/views/SqlView.svelte";

/** How often a statement was asked. */
let asked = 0;
/** What pages of rows are refused with. */
let gone: HostError | null = null;

beforeEach(async () => {
  const mock = createMock({ extra: 0, open: true });
  asked = 0;
  gone = null;
  useTransport({
    call(command, args, onProgress) {
      if (command === "sql_ask") asked++;
      if (command === "rows_page" && gone !== null) return Promise.reject(gone);
      return mock.call(command, args, onProgress);
    },
  });
  sqlConsole.text = "";
  sqlConsole.begun = null;
  sqlConsole.answer = sqlConsole.asked = sqlConsole.error = sqlConsole.schema = sqlConsole.all = null;
  navigation.open("#/sql");
  await session.openWith("guide", () => host.openStore("guide.annals"));
});

/** Types a statement; buttons follow it a moment later. */
async function type(text: string) {
  sqlConsole.text = text;
  await tick();
}

const says = () => screen.getByTestId("sql-says").textContent;

it("statement_of_the_address_is_answered_and_says_what_it_looked_at", async () => {
  navigation.open("#/sql?q=SELECT%20*%20FROM%20events");
  render(SqlView);
  await waitFor(() => expect(says()).toContain("read of a log of"));
  expect(says()).toContain("account_at as of now");
  expect(sqlConsole.text).toBe("SELECT * FROM events");
  await fireEvent.click(screen.getByTestId("sql-run"));
  await waitFor(() => expect(sqlConsole.running).toBe(false));
  expect(asked, "once by the address, once by the button").toBe(2);
});

it("what_does_not_read_is_refused_in_the_words_of_the_host", async () => {
  render(SqlView);
  await type("DELETE FROM events");
  await fireEvent.click(screen.getByTestId("sql-run"));
  await waitFor(() => expect(says()).toContain("only reading is allowed"));
});

it("misspelt_name_is_marked_where_it_stands_until_the_statement_changes", async () => {
  render(SqlView);
  await type("SELECT statu");
  await fireEvent.click(screen.getByTestId("sql-run"));
  await waitFor(() => expect(sqlConsole.fault).toEqual({ line: 1, column: 8, message: "no such column: statu" }));
  await type("SELECT status");
  expect(sqlConsole.fault).toBeNull();
});

it("rows_that_are_no_longer_kept_are_told_and_not_left_blank", async () => {
  render(SqlView);
  await type("SELECT 1");
  await fireEvent.click(screen.getByTestId("sql-run"));
  await waitFor(() => expect(sqlConsole.answer).not.toBeNull());
  gone = new HostError("not_found", "another answer took the place of these rows", "Ask again.");
  await sqlConsole.runAll();
  await waitFor(() => expect(says()).toContain("another answer took the place of these rows"));
});

it("query_is_saved_opened_again_and_deleted", async () => {
  render(SqlView);
  await waitFor(() => expect(screen.getByTestId("sql-saved").textContent).toBe("balances"));
  await type("SELECT 1");
  await fireEvent.click(screen.getByTestId("sql-save"));
  await fireEvent.input(screen.getByTestId("sql-save-name"), { target: { value: "one" } });
  await fireEvent.click(screen.getByTestId("sql-save-run"));
  await waitFor(() => expect(screen.getAllByTestId("sql-saved").map((row) => row.textContent)).toEqual(["balances", "one"]));
  await fireEvent.click(screen.getByText("balances"));
  expect(sqlConsole.text).toContain("account_at(:at)");
  await fireEvent.click(screen.getByLabelText("Delete one"));
  await fireEvent.click(screen.getByTestId("sql-remove-yes"));
  await waitFor(() => expect(screen.getAllByTestId("sql-saved")).toHaveLength(1));
});

it("names_and_cells_are_written_as_they_are", async () => {
  expect([quoted("order_at"), quoted("order line"), quoted('a"b'), quoted("order")]).toEqual(["order_at", '"order line"', '"a""b"', '"order"']);
  expect(cellText(new ExactNumber("109.970"))).toBe("109.970");
  expect(cellText({ hex: "00ff" })).toBe("x'00ff'");
  expect(placeOfFault("line 2, column 7: near \"x\": syntax error")).toEqual({ line: 2, column: 7, message: 'near "x": syntax error' });
  expect(placeOfFault("cancelled")).toBeNull();
  const schema = await host.sqlSchema();
  expect(schema.tables.map(callOf)).toContain("account_at(:at, :known)");
  const labels = offered(schema).map((word) => word.label);
  expect(labels).toContain("account_at");
  expect(labels).toContain("balance");
  expect(labels).toContain("dec_sum");
  expect(new Set(labels).size).toBe(labels.length);
});
