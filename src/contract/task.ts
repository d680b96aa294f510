/** Tasks that a contract may name; they decide which routes make sense. */
export const TASKS = ['classification', 'regression', 'embedding', 'other'] as const;
export type Task = (typeof TASKS)[number];
