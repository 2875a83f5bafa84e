import type { DashboardArgs } from "./DashboardArgs";
export type DashboardWriteArgs = { dashboard: DashboardArgs, file: string, };
