import { create } from '@bufbuild/protobuf';
import { type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js';
import {
  HealthCheckResponse_ServingStatus as Health,
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
} from './gen/grpc/health/v1/health_pb.ts';

type Watcher = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/** grpc.health.v1: whether the server is ready, asked once or watched. The services it knows are all ready together. */
export class HealthService {
  readonly #known: ReadonlySet<string>;
  readonly #isReady: () => boolean;
  readonly #watchers = new Set<Watcher>();

  constructor(services: readonly string[], isReady: () => boolean) {
    this.#known = new Set(['', ...services]);
    this.#isReady = isReady;
  }

  readonly handlers = {
    check: (
      { request }: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
      answer: sendUnaryData<HealthCheckResponse>,
    ): void => {
      if (this.#known.has(request.service)) answer(null, this.#now());
      else answer({ code: status.NOT_FOUND, details: 'there is no such service here' });
    },
    watch: (call: Watcher): void => {
      if (!this.#known.has(call.request.service)) {
        // The health protocol keeps such a stream open: a service could come.
        call.write(create(HealthCheckResponseSchema, { status: Health.SERVICE_UNKNOWN }));
        return;
      }
      this.#watchers.add(call);
      call.on('cancelled', () => this.#watchers.delete(call));
      call.on('close', () => this.#watchers.delete(call));
      call.write(this.#now());
    },
  };

  /** Tells those who watch that it changed. */
  changed(): void {
    for (const watcher of this.#watchers) watcher.write(this.#now());
  }

  /** Ends all watches, so that connections can close. */
  end(): void {
    for (const watcher of this.#watchers) watcher.end();
    this.#watchers.clear();
  }

  #now(): HealthCheckResponse {
    return create(HealthCheckResponseSchema, { status: this.#isReady() ? Health.SERVING : Health.NOT_SERVING });
  }
}
