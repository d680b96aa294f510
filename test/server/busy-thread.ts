import { AllMetrics } from '../../src/server/all-metrics.ts';
import { Metrics } from '../../src/server/metrics.ts';

/** A thread that has served three requests, and then is at work until it is told to end: it hears nothing meanwhile. */
const metrics = new Metrics();
const answered = metrics.requestsOf('/predict', 200);
for (let request = 0; request < 3; request++) answered(0.001);
new AllMetrics(metrics, 2);

self.onmessage = ({ data }: MessageEvent<SharedArrayBuffer>) => {
  const end = new Int32Array(data);
  postMessage('busy');
  Atomics.wait(end, 0, 0);
};
postMessage('ready');
