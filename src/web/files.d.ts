declare module '*.svg' {
  /** A path: imports with `type: 'file'`. */
  const path: string;
  export default path;
}
