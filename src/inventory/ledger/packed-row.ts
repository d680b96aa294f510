import type { ImageFacts } from '../image/facts.ts';
import type { ServerRow } from '../row.ts';
import { type ImagePart, imagePart } from '../scan/image-part.ts';

type Packed = Omit<ServerRow, keyof ImagePart>;

const IMAGE_PART = Object.keys(imagePart(undefined));

/** A row without what its image tells, which the ledger keeps once for each image. */
export function packRow(row: ServerRow): string {
  return JSON.stringify(Object.fromEntries(Object.entries(row).filter(([key]) => !IMAGE_PART.includes(key))));
}

/** The row as it was. */
export function unpackRow(text: string, facts: ImageFacts | undefined): ServerRow {
  return { ...(JSON.parse(text) as Packed), ...imagePart(facts) };
}
