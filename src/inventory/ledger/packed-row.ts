import type { ImageFacts } from '../image/facts.ts';
import type { ServerRow } from '../row.ts';
import { type ImagePart, imagePart } from '../scan/image-part.ts';

type Packed = Omit<ServerRow, keyof ImagePart>;

const IMAGE_PART = Object.keys(imagePart(undefined));

/** A row without what its image tells, which the ledger keeps once for each image; of an image that nobody knows, all of it. */
export function packRow(row: ServerRow): string {
  if (row.image.index === null) return JSON.stringify(row);
  return JSON.stringify(Object.fromEntries(Object.entries(row).filter(([key]) => !IMAGE_PART.includes(key))));
}

/** The row as it was. */
export function unpackRow(text: string, facts: ImageFacts | undefined): ServerRow {
  const packed = JSON.parse(text) as Packed & Partial<ImagePart>;
  return facts ? { ...packed, ...imagePart(facts) } : { ...imagePart(undefined), ...packed };
}
