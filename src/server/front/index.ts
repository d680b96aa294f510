export { DirectAnswer, DirectRequest, type Peer } from './direct-request.ts';
export type { DirectJob, DirectRoute } from './direct-route.ts';
export { Front } from './front.ts';
