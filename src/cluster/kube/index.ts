export { type Connection, type ConnectOptions, connect, contextsOf } from './connection.ts';
export { ApiFailure, isConflict, isNotFound } from './failure.ts';
export { type ApiObject, Kube, type KubeOptions, type ListQuery, named } from './kube.ts';
export { type Forward, type ForwardTarget, forwardPort } from './port-forward.ts';
export { pathOf, RESOURCES, type Resource, resourceOf } from './resources.ts';
export { type WatchEvent, type WatchOptions, watch } from './watch.ts';
