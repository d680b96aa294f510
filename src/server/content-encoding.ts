import { HttpError } from './answer.ts';
import { tooLarge } from './body.ts';

type Decode = (bytes: Uint8Array, options: { maxOutputLength: number }, done: Done) => void;
type Done = (error: Error | null, bytes: Uint8Array) => void;

/**
 * A request's body as it was before its Content-Encoding: gzip and deflate, as NVIDIA's clients compress it.
 * @param limit the most bytes that it may have
 * @throws HttpError 415 for another encoding, 400 where it is none of that, 413
 */
export async function decodeContent(bytes: Uint8Array, encoding: string | null, limit: number): Promise<Uint8Array> {
  if (encoding === null || encoding === 'identity') return bytes;
  const decode = await decoderOf(encoding);
  return new Promise((resolve, reject) =>
    decode(bytes, { maxOutputLength: limit }, (error, decoded) => {
      if (!error) resolve(decoded);
      else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        reject(tooLarge(limit, `more, ${encoding} taken off`));
      else reject(new HttpError(400, 'BODY_INVALID', `the body is no ${encoding}, as its Content-Encoding says`));
    }),
  );
}

/** The library is loaded when the first compressed body comes. */
async function decoderOf(encoding: string): Promise<Decode> {
  const { gunzip, inflate } = await import('node:zlib');
  if (encoding === 'gzip') return gunzip;
  if (encoding === 'deflate') return inflate;
  throw new HttpError(415, 'BODY_INVALID', `bodies of content-encoding ${encoding.slice(0, 40)} are not read`, {
    hint: 'Send it as it is, in gzip, or in deflate.',
    headers: { 'accept-encoding': 'gzip, deflate' },
  });
}
