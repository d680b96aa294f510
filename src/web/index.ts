export { bundlePlayground, PLAYGROUND_SCRIPT, playgroundScript } from './playground/bundle.ts';
export { playgroundPage } from './playground/page.ts';
export { playgroundIcon, playgroundStyle } from './playground/static-files.ts';
