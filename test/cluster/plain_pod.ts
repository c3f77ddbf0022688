import {
  type PodOptions,
  SHADOW_IMAGE,
} from "../../src/cluster/pod/pod_options.ts";

/** What the global options say of pods where the user says nothing. */
export const plainPod: PodOptions = {
  image: SHADOW_IMAGE,
  imagePullPolicy: "IfNotPresent",
  nodeSelector: {},
  tolerations: [],
  labels: {},
  annotations: {},
  quota: {},
  asDeployment: false,
};
