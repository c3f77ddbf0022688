/** The API server bounds the whole, not its parts. */
export const SUBDOMAIN =
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
export const MAX_OBJECT_NAME = 253;

/** Whether a Service, Pod or ConfigMap may be called so. Without valibot, as the command line is read by it. */
export function isObjectName(text: string): boolean {
  return text.length <= MAX_OBJECT_NAME && SUBDOMAIN.test(text);
}
