export { INLAY_VERSION } from '../contract/index.ts';
