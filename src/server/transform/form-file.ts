import type { BusboyHeaders } from '@fastify/busboy';
import { HttpError } from '../answer.ts';

/** A file of a form. */
export interface FormFile {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/**
 * The one file of a form (multipart/form-data, RFC 7578), as browsers and `curl -F` send it; fields of text beside it are left out.
 * Not Bun's own parser: it takes the type from the file's name, whatever the form says.
 * @param header the request's Content-Type @throws HttpError 400
 */
export async function fileOfForm(header: string, bytes: Uint8Array): Promise<FormFile> {
  const { Busboy } = await import('@fastify/busboy');
  const files: FormFile[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const headers: BusboyHeaders = { 'content-type': header };
      const form = new Busboy({ headers, limits: { files: 2, fields: 100, parts: 102, headerPairs: 20 } });
      form.on('file', (_, file, __, ___, contentType) => {
        const chunks: Buffer[] = [];
        file.on('error', reject);
        file.on('data', (chunk: Buffer) => void chunks.push(chunk));
        file.on('end', () => void files.push({ contentType, bytes: Buffer.concat(chunks) }));
      });
      form.on('error', reject);
      form.on('finish', () => resolve());
      form.end(bytes);
    });
  } catch (cause) {
    throw new HttpError(400, 'BODY_INVALID', `the form cannot be read: ${(cause as Error).message}`);
  }
  const [only, second] = files;
  if (only && !second) return only;
  throw new HttpError(
    400,
    'BODY_INVALID',
    `the form has ${files.length === 0 ? 'no file' : 'several files'}, not one`,
    {
      hint: "Send the file itself as the body, with its content type, or a form with one file: curl -F 'file=@NAME;type=TYPE'.",
    },
  );
}
