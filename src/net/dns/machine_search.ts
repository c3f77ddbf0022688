import type { ResolvConf } from "../../link/wire/resolv_conf.ts";

/**
 * The search domains that this machine gets of the pod's: the first, by which libc and Windows complete
 * short names. With the others libc would look for `google.com.svc.cluster.local` where `google.com`
 * cannot be found for a moment; what they are for our own name server does.
 */
export function machineSearch(pod: Pick<ResolvConf, "search">): string[] {
  return pod.search.slice(0, 1);
}
