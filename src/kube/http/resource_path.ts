/** Where the API server has the objects of a kind. */
import type { Resource } from "../kube_api.ts";
import { pathSegment } from "./path_segment.ts";

/** `/apis/apps/v1/namespaces/shop/deployments`. */
export function collectionPath(
  { apiVersion, plural }: Resource,
  namespace: string | undefined,
): string {
  const root = apiVersion.includes("/") ? "/apis/" : "/api/";
  const place = namespace ? `/namespaces/${pathSegment(namespace)}` : "";
  return `${root}${apiVersion}${place}/${plural}`;
}

/** @param more Behind it, as it is. Values that are missing or empty are left out. */
export function withQuery(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  more = "",
): string {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([key, value]) => `${key}=${encodeURIComponent(value!)}`);
  if (more !== "") parts.push(more);
  return parts.length === 0 ? path : `${path}?${parts.join("&")}`;
}
