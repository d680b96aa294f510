import { constants, inflateSync } from 'node:zlib';

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
/** Chunks that the pixels need; of all others, such as colour profiles, nothing is unpacked. */
const KEPT = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'];
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/**
 * A PNG file with the chunks alone that make its pixels, proven not to unpack to more than its size says: a body of megabytes can
 * unpack to gigabytes, and a decoder that does not ask first takes all of the pod's memory.
 */
export function soundPng(bytes: Uint8Array, mostPixels: number): Uint8Array {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte)) throw new Error('it does not begin as one');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array[] = [bytes.subarray(0, 8)];
  const data: Uint8Array[] = [];
  let most = 0;
  for (let at = 8; at < bytes.length; ) {
    if (at + 12 > bytes.length) throw new Error('it is cut off');
    const end = at + 12 + view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (end > bytes.length) throw new Error('it is cut off');
    if (type === 'IHDR') most = pixelBytes(view, at + 8, mostPixels);
    if (type === 'IDAT') data.push(bytes.subarray(at + 8, end - 4));
    if (KEPT.includes(type)) kept.push(bytes.subarray(at, end));
    at = end;
  }
  if (most === 0) throw new Error('it has no header');
  // Throws where there is more. What is cut off is the decoder's to tell.
  inflateSync(Buffer.concat(data), { maxOutputLength: most, finishFlush: constants.Z_SYNC_FLUSH });
  return Buffer.concat(kept);
}

/** How many bytes the pixels take at most, a filter byte a row included (PNG, 9 and 8.1: seven passes have more rows). */
function pixelBytes(view: DataView, header: number, mostPixels: number): number {
  const [width, height] = [view.getUint32(header), view.getUint32(header + 4)];
  const channels = CHANNELS[view.getUint8(header + 9)];
  if (width === 0 || height === 0 || channels === undefined) throw new Error('its header is damaged');
  if (width * height > mostPixels)
    throw new Error(`it has ${width} × ${height} pixels, and ${mostPixels / 1e6} million are the most`);
  return Math.ceil((width * channels * view.getUint8(header + 8)) / 8) * height + 16 * height + 1024;
}
