import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { describeError } from '../../answer.ts';
import type { Log, LogFields } from '../../log.ts';
import { sentence } from '../routes.ts';

const CODES: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  404: status.NOT_FOUND,
  413: status.RESOURCE_EXHAUSTED,
  499: status.CANCELLED,
  503: status.UNAVAILABLE,
};

/** An error as gRPC's clients are told of it: the status that goes with HTTP's, and the same words. @param fields of its log line */
export function statusOf(error: unknown, log: Log, fields: LogFields = {}): ServiceError {
  const failure = describeError(error, log, fields);
  const details = sentence(failure.message, failure.hint);
  const code = CODES[failure.status] ?? status.INTERNAL;
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() });
}
