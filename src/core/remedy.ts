/**
 * A way out of an error that an option of the caller's gives: the command line has a flag for each, the
 * caller of a library something else.
 */
export type Remedy =
  | "annotations"
  | "image"
  | "image-pull-secret"
  | "labels"
  | "more-time"
  | "node-selector"
  | "pod-quota"
  | "router-image"
  | "service-account"
  | "tolerations";
