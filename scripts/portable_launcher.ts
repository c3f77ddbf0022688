/**
 * The shell script in front of a portable ktctl. The archive follows its last line; it is unpacked
 * once for each content into the user's cache.
 */
export function portableLauncher(hash: string): string {
  const script = `#!/bin/sh
set -eu
cache="\${XDG_CACHE_HOME:-$HOME/.cache}/ktctl/portable"
home="$cache/${hash}"
if [ ! -x "$home/deno" ] || [ ! -f "$home/ktctl.js" ]; then
  mkdir -p "$home"
  new=$(mktemp -d "$cache/.new.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  tail -n +LINES "$0" | tar -xzf - -C "$new"
  # each file appears whole, also where another ktctl unpacks at the same moment
  mv -f "$new/ktctl.js" "$home/ktctl.js"
  mv -f "$new/deno" "$home/deno"
  rm -rf "$new"
  trap - EXIT
fi
# this Deno is not the user's to upgrade
export DENO_NO_UPDATE_CHECK=1
exec "$home/deno" run -A --quiet --no-config --no-lock "$home/ktctl.js" "$@"
exit 1
`;
  return script.replace("LINES", String(script.split("\n").length));
}
