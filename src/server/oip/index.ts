export { OipModel } from './model.ts';
export { checkOipPath, isOipPath, type NotReady, oipErrors, oipHealthRoutes, oipRoutes } from './routes.ts';
