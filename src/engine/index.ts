export { cpuLimit, threadsFor } from './cpu-limit.ts';
export { Engine, type EngineOptions, type Feeds } from './engine.ts';
