export { expectReleaser, startReleaseJob } from './detach.ts';
export { type ReleaseJob, releaseJobName, releaseJobOf, releaserObjects } from './release-job.ts';
