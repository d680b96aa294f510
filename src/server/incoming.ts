import type { DirectAnswer, DirectRequest } from './front/index.ts';

/** A request, whoever read it: Bun's server, or the front door. */
export type Incoming = Request | DirectRequest;
/** An answer, in the form that the same wants. */
export type Outgoing = Response | DirectAnswer;
