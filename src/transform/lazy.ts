// Bundling is for those who build: the in-image server, which only loads what was bundled, does without.
type Prepare = typeof import('./prepare.ts');

/** @see prepare.ts */
export const prepareTransform: Prepare['prepareTransform'] = async (...args) =>
  (await import('./prepare.ts')).prepareTransform(...args);
