export { type StepFolder, type StepFoldersOptions, stepFolders } from './step-folders.ts';
