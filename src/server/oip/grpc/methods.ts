import { type DescMethod, type DescService, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

/**
 * A service of protobuf-es as grpc-js wants it; handlers go by the methods' local names (`modelInfer`).
 * @param typeName what it is called on the wire, where that is not its own name
 */
export function definitionOf(service: DescService, typeName: string = service.typeName): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, methodOf(typeName, method)]));
}

function methodOf(typeName: string, method: DescMethod): MethodDefinition<Message, Message> {
  const { input, output, methodKind } = method;
  return {
    path: `/${typeName}/${method.name}`,
    requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
    responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
    requestSerialize: (message) => bytes(toBinary(input, message)),
    requestDeserialize: (buffer) => fromBinary(input, buffer),
    responseSerialize: (message) => bytes(toBinary(output, message)),
    responseDeserialize: (buffer) => fromBinary(output, buffer),
  };
}

function bytes({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
