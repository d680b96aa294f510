export type { Asked } from './line.ts';
export type { LineSink } from './line-sink.ts';
export { openPredictionSink } from './line-sink.ts';
export { MainSink } from './main-sink.ts';
export { type PendingInference, PredictionLog } from './prediction-log.ts';
