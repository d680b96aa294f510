import type { Duplex } from 'node:stream';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { file_grpc_health_v1_health, Health } from './gen/grpc/health/v1/health_pb.ts';
import { file_grpc_reflection_v1_reflection, ServerReflection } from './gen/grpc/reflection/v1/reflection_pb.ts';
import {
  file_grpc_reflection_v1alpha_reflection,
  ServerReflection as ServerReflectionAlpha,
} from './gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { file_inference, GRPCInferenceService } from './gen/inference_pb.ts';
import { HealthService } from './health-service.ts';
import { type Calls, inferenceHandlers, type Serving } from './inference-service.ts';
import { definitionOf } from './methods.ts';
import { reflectionHandlers } from './reflection-service.ts';

/** How long clients have to leave once nothing is under way, ms. */
const LEAVE_MS = 100;

const FILES = [
  file_inference,
  file_grpc_health_v1_health,
  file_grpc_reflection_v1_reflection,
  file_grpc_reflection_v1alpha_reflection,
];

/** How long a connection without calls is kept, ms: clients that come back make a new one. */
const IDLE_MS = 300_000;
/** How long a call may go on after its connection was asked to end, ms. */
const LAST_CALL_MS = 30_000;

export interface GrpcLimits {
  /** The largest message, bytes. */
  readonly limit: number;
  /** After about so long a connection is asked to end, milliseconds; 0: never. */
  readonly maxConnectionAgeMs: number;
}

/** The gRPC services of the server, on connections that are handed to it. */
export class GrpcServer {
  readonly #server: Server;
  readonly #injector: ReturnType<Server['createConnectionInjector']>;
  readonly #health: HealthService;
  readonly #calls: Calls = { underWay: 0 };

  constructor(serving: Serving, limits: GrpcLimits) {
    const ageMs = limits.maxConnectionAgeMs;
    this.#server = new Server({
      'grpc.max_receive_message_length': limits.limit,
      'grpc.max_send_message_length': -1,
      // grpc-js adds the jitter, a tenth to either side; a call that is under way then gets the time that a drain gives it.
      ...(ageMs > 0 ? { 'grpc.max_connection_age_ms': ageMs, 'grpc.max_connection_age_grace_ms': LAST_CALL_MS } : {}),
      'grpc.max_connection_idle_ms': IDLE_MS,
    });
    this.#health = new HealthService([GRPCInferenceService.typeName], () => serving.notReady() === undefined);
    const reflection = reflectionHandlers(FILES);
    this.#server.addService(definitionOf(GRPCInferenceService), inferenceHandlers(serving, this.#calls));
    this.#server.addService(definitionOf(Health), this.#health.handlers);
    this.#server.addService(definitionOf(ServerReflection), reflection);
    this.#server.addService(definitionOf(ServerReflection, ServerReflectionAlpha.typeName), reflection);
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  /** Serves one connection. */
  inject(connection: Duplex): void {
    this.#injector.injectConnection(connection);
  }

  /** Tells those who watch the server's health. */
  readinessChanged(): void {
    this.#health.changed();
  }

  /** Sends GOAWAY on all connections and resolves when what is under way has been answered, at the latest after `mostMs`. */
  async close(mostMs: number): Promise<void> {
    this.#health.end();
    let closed = false;
    this.#server.tryShutdown(() => {
      closed = true;
    });
    const until = performance.now() + mostMs;
    while (this.#calls.underWay > 0 && performance.now() < until) await Bun.sleep(5);
    // Answers go out and clients leave, as the GOAWAY asks them to; those that keep an idle connection are left.
    for (let waited = 0; !closed && waited < Math.min(mostMs, LEAVE_MS); waited += 5) await Bun.sleep(5);
    this.#server.forceShutdown();
  }
}
