export { chooseEngine, whyNot } from './detect.ts';
export { unpackRootFs } from './root-fs.ts';
export { runImage } from './run-image.ts';
export { runcSpec } from './runc-spec.ts';
export { ENGINES, type EngineName, type RunningImage, type RunOptions } from './running.ts';
export { waitReady } from './wait-ready.ts';
