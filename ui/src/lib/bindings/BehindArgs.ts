export type BehindArgs = { projection: string, document: string, path: string, at?: string, known?: string, };
