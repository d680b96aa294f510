import { isInlayError } from '../error/index.ts';
import type { Log } from './log.ts';
import { GrpcListener } from './oip/index.ts';
import type { ModelServer } from './server.ts';
import type { Settings } from './settings.ts';

/**
 * Listens for gRPC beside an HTTP server. A port that nobody asked for and that is in use costs gRPC, not the server.
 * @throws PORT_IN_USE, ENVIRONMENT_INVALID
 */
export function openGrpc(server: ModelServer, settings: Settings, log: Log): GrpcListener | undefined {
  const { grpc, host, maxBodyBytes: limit, maxBodiesBytes: limitTogether, maxConnectionAgeMs, accessLog } = settings;
  if (!grpc) return undefined;
  try {
    const { notReady, notLive, metrics } = server;
    return new GrpcListener({
      host,
      port: grpc.port,
      limit,
      limitTogether,
      maxConnectionAgeMs,
      accessLog,
      notReady,
      notLive,
      model: () => server.oip,
      modelHeader: () => server.modelHeader,
      log,
      metrics,
    });
  } catch (error) {
    if (grpc.asked || !isInlayError(error) || error.code !== 'PORT_IN_USE') throw error;
    log.warning(`gRPC is not served: ${error.message}`, { hint: error.hint });
    return undefined;
  }
}
