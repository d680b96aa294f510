import { convertIndexedToRgb, decode as decodePng } from 'fast-png';
import type { TransformModel } from 'inlay/transform';
import { decode as decodeJpeg } from 'jpeg-js';
import type { Gray } from './cells.ts';
import { soundPng } from './sound-png.ts';

/** Larger ones cost more memory than a digit is worth. */
const MOST_PIXELS = 12e6;

/** An image's luminances; what is transparent is white. `luminance` of features.py. */
export function luminanceOf(bytes: Uint8Array, contentType: string, { badRequest }: TransformModel): Gray {
  try {
    return contentType === 'image/png' ? grayOfPng(bytes) : grayOfJpeg(bytes);
  } catch (error) {
    // Whatever a decoder cannot read is the sender's mistake.
    throw badRequest(`the body is no ${contentType} that can be read: ${(error as Error).message}`);
  }
}

function grayOfPng(bytes: Uint8Array): Gray {
  const png = decodePng(soundPng(bytes, MOST_PIXELS));
  const { width, height } = png;
  if (png.palette) return grayOf(width, height, convertIndexedToRgb(png), png.palette[0]?.length ?? 3, 8);
  const samples = png.depth < 8 ? unpacked(png.data, png.depth, width, height) : png.data;
  const transparent = png.transparency;
  if (!transparent?.length) return grayOf(width, height, samples, png.channels, png.depth);
  const gray = grayOf(width, height, samples, png.channels, png.depth);
  // One colour counts as transparent (PNG, 11.3.1.1).
  for (let at = 0; at < gray.data.length; at++)
    if (transparent.every((value, channel) => samples[at * png.channels + channel] === value)) gray.data[at] = 255;
  return gray;
}

function grayOfJpeg(bytes: Uint8Array): Gray {
  const limits = { maxResolutionInMP: MOST_PIXELS / 1e6, maxMemoryUsageInMB: 256 };
  const { width, height, data } = decodeJpeg(bytes, { useTArray: true, tolerantDecoding: false, ...limits });
  return grayOf(width, height, data, 4, 8);
}

/** @param channels gray, gray and alpha, colours, colours and alpha @param depth bits a sample */
function grayOf(width: number, height: number, samples: ArrayLike<number>, channels: number, depth: number): Gray {
  const data = new Uint8Array(width * height);
  const byte = (at: number) =>
    (depth === 16 ? (samples[at] as number) >> 8 : depth < 8 ? scaled(at) : samples[at]) as number;
  const scaled = (at: number) => ((samples[at] as number) * 255) / (2 ** depth - 1);
  const coloured = channels > 2;
  const alphaAt = channels % 2 === 0 ? channels - 1 : undefined;
  for (let pixel = 0; pixel < data.length; pixel++) {
    const at = pixel * channels;
    const luma = coloured
      ? // ITU-R 601-2, in Pillow's whole numbers.
        (byte(at) * 19595 + byte(at + 1) * 38470 + byte(at + 2) * 7471 + 0x8000) >> 16
      : byte(at);
    const alpha = alphaAt === undefined ? 255 : byte(at + alphaAt);
    data[pixel] = Math.floor((luma * alpha + 255 * (255 - alpha) + 127) / 255);
  }
  return { width, height, data };
}

/** Samples of 1, 2 or 4 bits: a row begins with a byte of its own. */
function unpacked(packed: ArrayLike<number>, depth: number, width: number, height: number): Uint8Array {
  const rowBytes = Math.ceil((width * depth) / 8);
  const samples = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const byte = packed[y * rowBytes + (bit >> 3)] as number;
      samples[y * width + x] = (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
    }
  }
  return samples;
}
