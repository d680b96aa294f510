export { bundleDashboard, DASHBOARD_FILES, type DashboardFile, dashboardFile } from './dashboard/bundle.ts';
export type * from './dashboard/model/wire.ts';
export { DASHBOARD_PAGE, DASHBOARD_PAGES } from './dashboard/page.ts';
export { bundlePlayground, PLAYGROUND_SCRIPT, playgroundScript } from './playground/bundle.ts';
export { playgroundPage } from './playground/page.ts';
export { playgroundIcon, playgroundStyle } from './playground/static-files.ts';
