import type { TransformRequest } from '../../transform/index.ts';
import { HttpError } from '../answer.ts';
import { parseJson, utf8 } from '../body.ts';
import { fileOfForm } from './form-file.ts';
import { acceptedType, mediaTypeOf } from './media-type.ts';

/** A body as a transform gets it. Text and JSON are read when they are asked for; the functions may be taken out of it. */
export class RawRequest implements TransformRequest {
  readonly contentType: string;
  readonly bytes: Uint8Array;

  constructor(contentType: string, bytes: Uint8Array) {
    this.contentType = contentType;
    this.bytes = bytes;
  }

  /** @throws HttpError 400 */
  readonly text = (): string => utf8(this.bytes);

  /** @throws HttpError 400 */
  readonly json = (): unknown => parseJson(this.text());
}

/**
 * What a request's header and body are for a transform.
 * @throws HttpError 400 for an empty body or a form that is no single file, 415 for a type that is not accepted
 */
export async function rawRequestOf(
  accepts: readonly string[],
  header: string | null,
  bytes: Uint8Array,
): Promise<RawRequest> {
  if (bytes.byteLength === 0)
    throw new HttpError(400, 'BODY_INVALID', 'the body is empty', { hint: `Send ${accepts.join(' or ')}.` });
  const type = acceptedType(accepts, header);
  if (type !== undefined) return new RawRequest(type, bytes);
  if (mediaTypeOf(header) !== 'multipart/form-data') throw unsupported(accepts, header);
  const file = await fileOfForm(header as string, bytes);
  const inner = acceptedType(accepts, file.contentType);
  if (inner === undefined) throw unsupported(accepts, file.contentType);
  return new RawRequest(inner, file.bytes);
}

function unsupported(accepts: readonly string[], came: string | null): HttpError {
  const type = mediaTypeOf(came).slice(0, 100);
  return new HttpError(
    415,
    'MEDIA_TYPE_UNSUPPORTED',
    `${type === '' ? 'the request has no content type' : `the body is ${type}`}, and this model takes ${accepts.join(', ')}`,
    {
      hint: `Say what it is, for example content-type: ${accepts[0]}. Tensors go to /v2/models/NAME/infer.`,
      headers: { accept: accepts.join(', ') },
    },
  );
}
