export { type MlflowModel, readMlflowModel } from './mlflow.ts';
