/** What an onnx package can write: IR version and newest operator sets. */
export interface OnnxRelease {
  /** `major.minor`. */
  readonly version: string;
  readonly irVersion: number;
  readonly opset: number;
  readonly mlOpset: number;
}

/** Facts of onnx.helper.VERSION_TABLE. */
const RELEASES: readonly OnnxRelease[] = (
  [
    ['1.8', 7, 13, 2],
    ['1.9', 7, 14, 2],
    ['1.10', 8, 15, 2],
    ['1.11', 8, 16, 3],
    ['1.12', 8, 17, 3],
    ['1.13', 8, 18, 3],
    ['1.14', 9, 19, 3],
    ['1.15', 9, 20, 4],
    ['1.16', 10, 21, 5],
    ['1.17', 10, 22, 5],
    ['1.18', 11, 23, 5],
    ['1.19', 12, 24, 5],
    ['1.20', 13, 25, 5],
    ['1.21', 13, 26, 5],
    ['1.22', 13, 27, 5],
    ['1.23', 14, 28, 5],
  ] as const
).map(([version, irVersion, opset, mlOpset]) => ({ version, irVersion, opset, mlOpset }));

/** The release that a version of the onnx package belongs to; undefined where it is not known. */
export function onnxRelease(version: string): OnnxRelease | undefined {
  const minor = /^\d+\.\d+/.exec(version)?.[0];
  return RELEASES.find((release) => release.version === minor);
}
