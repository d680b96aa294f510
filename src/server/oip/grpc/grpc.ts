// What is loaded with the first gRPC connection, and not before.
export { GrpcServer } from './grpc-server.ts';
export { SocketStream } from './socket-stream.ts';
