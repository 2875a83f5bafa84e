import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { navigation } from "$lib/app/navigation.svelte";
import { session } from "$lib/app/session.svelte";
import { host, useTransport } from "$lib/host/client";
import { createMock } from "$lib/host/mock/transport";
import { fileFor, formOf, missing, requestOf, settingPatch, templatePatch, withForm } from "$lib/model/reports";
import ReportsView from "$lib/views/ReportsView.svelte";

// the test's document has no layout, so nothing ever comes into sight
beforeEach(() => void vi.stubGlobal("IntersectionObserver", undefined));
afterEach(() => navigation.open("#/start"));

async function show(address: string) {
  useTransport(createMock({ open: true, extra: 40 }));
  await session.begin();
  navigation.open(address);
  return render(ReportsView);
}

const NOW = { at: null, known: null, zone: "Europe/Berlin", purpose: " review " };

async function templates() {
  useTransport(createMock({ open: true, extra: 4 }));
  return (await host.reportTemplates()).templates;
}

it("question_is_what_the_address_says", async () => {
  const [, sox] = await templates();
  if (!sox) throw new Error("there is no such template");
  const params = { template: "sox-change-register", category: "order", actor: "admin", from: "2024-01-01T00:00:00Z", "set.sample": "7", "set.other": "1", subject: "x" };
  const request = requestOf(sox, params, { ...NOW, at: "2024-02-01T00:00:00Z", known: 12 });
  expect(request).toMatchObject({
    template: "sox-change-register",
    query: { category: "order", actor: "admin", from: "2024-01-01T00:00:00Z", to: null, known: 12, direction: "forwards" },
    at: "2024-02-01T00:00:00Z",
    zone: "Europe/Berlin",
    purpose: "review",
    subject: null,
    settings: { sample: "7" },
  });
});

it("another_template_keeps_the_scope_and_lets_go_of_settings", () => {
  expect(templatePatch({ "set.sample": "7", category: "order" }, "audit-trail")).toEqual({ template: "audit-trail", "set.sample": null });
  expect(settingPatch("sample", "")).toEqual({ "set.sample": null });
});

it("what_a_template_needs_is_said", async () => {
  const [, sox, gdpr] = await templates();
  if (!sox || !gdpr) throw new Error("there is no such template");
  expect(missing(gdpr, requestOf(gdpr, {}, NOW))).toEqual(["a subject"]);
  expect(missing(gdpr, requestOf(gdpr, { subject: "customer-7" }, NOW))).toEqual([]);
  const strict = { ...sox, needs: ["period", "at", "actor"] };
  expect(missing(strict, requestOf(strict, { from: "2024-01-01T00:00:00Z" }, NOW))).toHaveLength(3);
});

it("ending_of_the_file_says_the_form", () => {
  expect(fileFor("/a", "audit-trail", "pdf")).toBe("/a/audit-trail.pdf");
  expect(fileFor("C:\\a", "audit-trail", "pdf")).toBe("C:\\a\\audit-trail.pdf");
  expect(withForm("/a/b.PDF", "xlsx")).toBe("/a/b.xlsx");
  expect(withForm("/a/b.v2", "csv")).toBe("/a/b.v2.csv");
  expect([formOf("/a/b.HTML"), formOf("/a/b"), formOf("/a.pdf/b")]).toEqual(["html", null, null]);
});

it("pages_are_shown_before_the_report_is_made", async () => {
  await show("#/reports?template=sox-change-register");
  expect((await screen.findByTestId("preview-says")).textContent).toContain("exceptions");
  const pages = await screen.findAllByTestId("report-page");
  expect(pages).toHaveLength(3);
  expect((await screen.findByAltText("Page 1 of 3: SOX change register")).getAttribute("src")).toContain("data:image/svg+xml");
});

it("report_is_made_and_joins_the_recent_ones", async () => {
  await show("#/reports?template=audit-trail");
  const path = await screen.findByTestId<HTMLInputElement>("report-path");
  await fireEvent.change(screen.getByTestId("report-form"), { target: { value: "xlsx" } });
  expect(path.value).toBe("/home/you/Annals/audit-trail.xlsx");
  await fireEvent.click(screen.getByTestId("report-make"));
  const made = await screen.findByTestId("report-made", {}, { timeout: 5000 });
  expect(made.textContent).toContain("1 file written");
  await waitFor(() => expect(screen.getByTestId("reports-recent").textContent).toContain("audit-trail.xlsx"));
});

it("report_of_several_files_names_each", async () => {
  await show("#/reports?template=audit-trail");
  await fireEvent.change(await screen.findByTestId("report-form"), { target: { value: "csv" } });
  await fireEvent.click(screen.getByTestId("report-make"));
  const made = await screen.findByTestId("report-made", {}, { timeout: 5000 });
  expect(made.textContent).toContain("2 files written");
  expect(made.textContent).toContain("audit-trail.report.json");
});

it("cancelled_report_makes_nothing", async () => {
  await show("#/reports?template=audit-trail");
  await fireEvent.click(await screen.findByTestId("report-make"));
  await fireEvent.click(await screen.findByTestId("report-cancel"));
  await waitFor(() => expect(screen.queryByTestId("report-cancel")).toBeNull(), { timeout: 5000 });
  expect(screen.queryByTestId("report-made")).toBeNull();
});

it("report_that_needs_a_subject_is_not_asked_for_without_one", async () => {
  await show("#/reports?template=gdpr-subject");
  const make = await screen.findByTestId<HTMLButtonElement>("report-make");
  expect(make.disabled).toBe(true);
  expect(screen.getByText(/needs a subject/)).toBeTruthy();
  await fireEvent.change(screen.getByTestId("report-subject"), { target: { value: "customer-7" } });
  await waitFor(() => expect(make.disabled).toBe(false));
});
