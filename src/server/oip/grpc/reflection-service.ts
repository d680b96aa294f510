import { create, createRegistry, type DescFile, type Registry, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import {
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from './gen/grpc/reflection/v1/reflection_pb.ts';

/** Handlers of server reflection over these files. v1 and v1alpha have the same bytes, so v1's messages do for both. */
export function reflectionHandlers(files: readonly DescFile[]) {
  const registry = createRegistry(...files);
  return {
    serverReflectionInfo: (call: ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>): void => {
      call.on('data', (request: ServerReflectionRequest) => {
        const { host: validHost } = request;
        const messageResponse = answerOf(request.messageRequest, files, registry);
        call.write(
          create(ServerReflectionResponseSchema, { validHost, originalRequest: request, messageResponse } as object),
        );
      });
      call.on('end', () => call.end());
    },
  };
}

function answerOf(
  asked: ServerReflectionRequest['messageRequest'],
  files: readonly DescFile[],
  registry: Registry,
): object {
  if (asked.case === 'listServices') {
    const service = files.flatMap((file) => file.services.map(({ typeName }) => ({ name: typeName })));
    return { case: 'listServicesResponse', value: { service } };
  }
  if (asked.case === 'fileByFilename') return fileAnswer(files.find(({ name }) => `${name}.proto` === asked.value));
  if (asked.case === 'fileContainingSymbol') return fileAnswer(fileOf(asked.value, registry));
  return failed(status.NOT_FOUND, 'there are no extensions here');
}

/** The file of a message, an enum, a service, or a method of one. */
function fileOf(symbol: string, registry: Registry): DescFile | undefined {
  const own = registry.get(symbol);
  if (own && own.kind !== 'extension') return own.file;
  const dot = symbol.lastIndexOf('.');
  const service = registry.getService(symbol.slice(0, dot));
  return service?.methods.some(({ name }) => name === symbol.slice(dot + 1)) ? service.file : undefined;
}

function fileAnswer(file: DescFile | undefined): object {
  if (!file) return failed(status.NOT_FOUND, 'it is not known here');
  const fileDescriptorProto = [file, ...file.dependencies].map((one) => toBinary(FileDescriptorProtoSchema, one.proto));
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function failed(errorCode: number, errorMessage: string): object {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}
