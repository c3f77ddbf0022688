/** What people call an operating system. */
export function systemName(os: string = Deno.build.os): string {
  return os === "darwin" ? "macOS" : os === "windows" ? "Windows" : os;
}
