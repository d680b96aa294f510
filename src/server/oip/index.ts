export { GrpcListener } from './grpc/listener.ts';
export { OipModel } from './model.ts';
export { oipPaths } from './openapi.ts';
export {
  checkOipPath,
  INFER_PATTERNS,
  isOipPath,
  type NotReady,
  oipError,
  oipHealthRoutes,
  oipPattern,
  oipRoutes,
} from './routes.ts';
