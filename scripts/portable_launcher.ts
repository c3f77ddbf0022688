/**
 * The shell script in front of a portable ktctl. The archive follows its last line; it is unpacked
 * once for each content into the user's cache.
 */
export function portableLauncher(hash: string): string {
  const script = `#!/bin/sh
set -u
fail() {
  echo "Cannot start ktctl: $1" >&2
  echo "$2" >&2
  exit 3
}
# this Deno is not the user's to upgrade
export DENO_NO_UPDATE_CHECK=1
cache="\${XDG_CACHE_HOME:-\${HOME:+$HOME/.cache}}"
elsewhere="Name a folder of your own in XDG_CACHE_HOME, in which programs may run."
[ -n "$cache" ] || fail "it unpacks itself below HOME, which is not set" "$elsewhere"
cache="$cache/ktctl/portable"
home="$cache/${hash}"
if [ ! -x "$home/deno" ] || [ ! -f "$home/ktctl.js" ]; then
  unwritable="it cannot unpack itself into $cache"
  mkdir -p "$home" || fail "$unwritable" "$elsewhere"
  new=$(mktemp -d "$cache/.new.XXXXXX") || fail "$unwritable" "$elsewhere"
  trap 'rm -rf "$new"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' HUP TERM
  # -o: the files are of who unpacks them, also where that is root, and not of who packed them
  tail -n +LINES "$0" | tar -xozf - -C "$new" ||
    fail "$unwritable" "What tar says is above: make room there, or fetch ktctl anew."
  "$new/deno" --version >"$new/said" 2>&1 || {
    cat "$new/said" >&2
    fail "the Deno that it brings along does not run in $cache" \\
      "It was made for another system, or no programs may run there: name another folder in XDG_CACHE_HOME."
  }
  # each file appears whole, also where another ktctl unpacks at the same moment
  mv -f "$new/ktctl.js" "$home/ktctl.js" && mv -f "$new/deno" "$home/deno" ||
    fail "$unwritable" "$elsewhere"
  rm -rf "$new"
  trap - EXIT INT HUP TERM
fi
exec "$home/deno" run -A --quiet --no-config --no-lock "$home/ktctl.js" "$@"
exit 1
`;
  return script.replace("LINES", String(script.split("\n").length));
}
