// What reads a project or a bare model needs YAML, protobuf and all of zod. The in-image server, which has a
// contract.json, does not: it starts sooner and smaller when these are loaded on first use.
type Project = typeof import('./project.ts');

/** @see project.ts */
export const readProject: Project['readProject'] = async (...args) =>
  (await import('./project.ts')).readProject(...args);

/** @see project.ts */
export const readAnyProject: Project['readAnyProject'] = async (...args) =>
  (await import('./project.ts')).readAnyProject(...args);

/** @see project.ts */
export const contractOfModel: Project['contractOfModel'] = async (...args) =>
  (await import('./project.ts')).contractOfModel(...args);

/** @see config/read.ts */
export const readConfig: Project['readConfig'] = async (path) => (await import('./project.ts')).readConfig(path);
