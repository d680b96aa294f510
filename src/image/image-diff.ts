import type { DescribedImage } from './described.ts';

type Layer = DescribedImage['layers'][number];

/** What two images have below their contracts, and do not share. */
export interface ImageDiff {
  /** Layers of both, byte for byte; then those of one alone. */
  readonly layers: {
    readonly shared: readonly Layer[];
    readonly from: readonly Layer[];
    readonly to: readonly Layer[];
  };
  /** What a node that has the one has to fetch for the other, bytes. */
  readonly newBytes: number;
  /** OS and libraries: `os`, `library libc6`; undefined where one has none of that name. */
  readonly changes: readonly { readonly what: string; readonly from?: string; readonly to?: string }[];
}

/** Compares what images say of themselves; no layer is needed. */
export function diffImages(from: DescribedImage, to: DescribedImage): ImageDiff {
  const has = (image: DescribedImage) => {
    const digests = new Set(image.layers.map(({ digest }) => digest));
    return ({ digest }: Layer) => digests.has(digest);
  };
  const [inFrom, inTo] = [has(from), has(to)];
  const own = to.layers.filter((layer) => !inFrom(layer));
  const names = [...new Set([...Object.keys(from.libraries), ...Object.keys(to.libraries)])].sort();
  const differ = (what: string, a: string | undefined, b: string | undefined) =>
    a === b ? [] : [{ what, ...(a === undefined ? {} : { from: a }), ...(b === undefined ? {} : { to: b }) }];
  return {
    layers: { shared: to.layers.filter(inFrom), from: from.layers.filter((layer) => !inTo(layer)), to: own },
    newBytes: own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    changes: [
      ...differ('os', from.os, to.os),
      ...names.flatMap((name) => differ(`library ${name}`, from.libraries[name], to.libraries[name])),
    ],
  };
}
