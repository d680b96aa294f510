// Most models have no transform: what serves one is loaded for those that do.
import type { Contract } from '../../contract/index.ts';

/** @see start-transform.ts */
export const startTransform: typeof import('./start-transform.ts').startTransform = async (...args) =>
  (await import('./start-transform.ts')).startTransform(...args);

/** @see open-transform.ts */
export async function openTransform(contract: Contract, dir: string | undefined): Promise<string | undefined> {
  return contract.transform ? (await import('./open-transform.ts')).openTransform(contract, dir) : undefined;
}

/** @see routes.ts */
export const transformRoutes = async (
  ...args: Parameters<typeof import('./routes.ts').transformRoutes>
): Promise<ReturnType<typeof import('./routes.ts').transformRoutes>> =>
  (await import('./routes.ts')).transformRoutes(...args);
