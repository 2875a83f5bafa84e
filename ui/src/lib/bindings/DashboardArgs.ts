export type DashboardArgs = { name: string, at?: string, known?: string, dark: boolean, width_px: number, };
