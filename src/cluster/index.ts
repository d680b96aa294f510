export type { ReleaseContract, ReleaseImage, ServicePlan } from './service.ts';
