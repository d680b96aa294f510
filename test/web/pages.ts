import type { PageModel } from '../../src/web/playground/model/page-model.ts';

/** A page on one input of rows. */
export function pageOf(more: Partial<PageModel> = {}): PageModel {
  return {
    name: 'iris',
    version: '1',
    task: 'classification',
    digest: 'sha256:00',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
    outputs: [{ name: 'p', datatype: 'FP32', shape: [-1, 3] }],
    prediction: 'p',
    labels: ['setosa', 'versicolor', 'virginica'],
    sample: { x: [[5.1, 3.5, 1.4, 0.2]] },
    ...more,
  };
}

export const SEVERAL = pageOf({
  inputs: [
    { name: 'visits', datatype: 'INT32', shape: [-1, 1] },
    { name: 'subscribed', datatype: 'BOOL', shape: [-1] },
    { name: 'about', datatype: 'BYTES', shape: [-1, 1] },
  ],
  sample: { visits: [[7]], subscribed: [true], about: [['a "word"']] },
});
