/**
 * What a shell runs to complete a command line of ktctl. Each hands the words before the cursor to
 * `ktctl __complete`, and takes what it prints: a value a line, a tab and what it is; or `:files` alone.
 *
 * By hand: @bomb.sh/tab 0.0.22 writes scripts for the same shells, but in bash it evaluates what stands on the
 * command line and what comes as a candidate (`eval`, `compgen -W`), it fails when it is sourced twice, and without
 * bash-completion. Here nothing is evaluated.
 */

export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = typeof SHELLS[number];

/** Bash breaks words at `:` and `=`, and replaces what is behind the last of them. As of 3.2, which macOS has. */
const BASH = String.raw`# bash completion for ktctl
_ktctl() {
  local IFS=$' \t\n' line=@{COMP_LINE:0:COMP_POINT} words=() value cut= breaks
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local current=@{words[@{#words[@]}-1]}
  breaks=@{COMP_WORDBREAKS//[^:=]/}
  [[ -n $breaks && $current == *["$breaks"]* ]] && cut=@{current%"@{current##*["$breaks"]}"}
  COMPREPLY=()
  while IFS=$'\t' read -r value _; do
    if [[ $value == :files ]]; then
      compopt -o default 2>/dev/null
    else
      COMPREPLY+=("@{value#"$cut"}")
    fi
  done < <(ktctl __complete -- "@{words[@]:1}" 2>/dev/null </dev/null)
}
complete -F _ktctl ktctl
`;

const ZSH = String.raw`#compdef ktctl
_ktctl() {
  local -a lines values
  local line value
  lines=("@{(@f)$(ktctl __complete -- "@{(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null </dev/null)}")
  for line in "@{(@)lines}"; do
    if [[ $line == :files ]]; then
      _files
      return
    fi
    [[ -n $line ]] || continue
    value=@{line%%$'\t'*}
    values+=("@{value//:/\\:}:@{line#*$'\t'}")
  done
  _describe ktctl values
}
if [[ $funcstack[1] == _ktctl ]]; then
  _ktctl "$@"
elif (( $+functions[compdef] )); then
  compdef _ktctl ktctl
fi
`;

const FISH = String.raw`# fish completion for ktctl
function __ktctl_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l lines (ktctl __complete -- $words[2..-1] "$current" 2>/dev/null </dev/null)
  if test "$lines[1]" = ":files"
    __fish_complete_path "$current"
  else
    printf '%s\n' $lines
  end
end
complete -c ktctl -f -a '(__ktctl_complete)'
`;

const POWERSHELL = String.raw`# PowerShell completion for ktctl
Register-ArgumentCompleter -Native -CommandName ktctl -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
    Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
    ForEach-Object { $_.Extent.Text })
  ktctl __complete -- @words "$wordToComplete" 2>$null | Where-Object { $_ -and $_ -ne ':files' } | ForEach-Object {
    $value, $text = $_ -split [char]9, 2
    if (-not $text) { $text = $value }
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $text)
  }
}
`;

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: BASH,
  zsh: ZSH,
  fish: FISH,
  powershell: POWERSHELL,
};

export function completionScript(shell: Shell): string {
  // `@{` above, as `${` would be the template's
  return SCRIPTS[shell].replaceAll("@{", "${");
}
