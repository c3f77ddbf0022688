/** How Windows is asked and changed where Deno and FFI do not reach. Not verified on Windows. */
import { UnsupportedError } from "../core/errors.ts";
import type { exec, ExecOptions, ExecResult } from "../core/exec.ts";
import type { Json } from "../core/json.ts";

export interface PowershellWork {
  /** As in "Cannot …". */
  readonly purpose: string;
  /** It finds `input` in `$ask`; what it gives back comes as JSON. Never made of values of others. */
  readonly script: string;
  readonly input?: Json;
}

/** Starting it takes a second, and its modules another one. */
const TIMEOUT_MS = 60_000;

/**
 * Runs a script by the PowerShell that every Windows has (5.1), up to the first cmdlet that fails.
 *
 * @returns what it gave back; `null` for nothing.
 * @throws {UnsupportedError} `POWERSHELL_FAILED`; `COMMAND_NOT_FOUND`, `COMMAND_TIMEOUT`.
 */
export async function runPowershell(
  machine: { readonly exec: typeof exec },
  { purpose, script, input = null }: PowershellWork,
  options: ExecOptions = {},
): Promise<Json> {
  const root = Deno.env.get("SystemRoot") ?? "C:\\Windows";
  const folder = `${root}\\System32\\WindowsPowerShell\\v1.0`;
  const result = await machine.exec(
    `${folder}\\powershell.exe`,
    powershellArguments(script),
    {
      timeoutMs: TIMEOUT_MS,
      ...options,
      // below PowerShell 7 it would find modules of that, which it cannot load
      env: { PSModulePath: `${folder}\\Modules` },
      stdin: `${asciiJson(input)}\n`,
    },
  );
  if (result.code !== 0) throw failed(purpose, reasonOf(result));
  const text = result.stdout.trim();
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    throw failed(purpose, `it printed no JSON: ${text.slice(0, 200)}`);
  }
}

/**
 * The script goes as one encoded word, past all quoting; values never are in it, but come by standard
 * input. Errors are told in plain text, with the name that they have in every language.
 */
export function powershellArguments(script: string): string[] {
  const whole = `
$global:ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*:ErrorAction' = 'Stop' }
$ProgressPreference = 'SilentlyContinue'
try { [Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false } catch { }
try {
  $ask = (@($input) -join '') | ConvertFrom-Json
  $told = & {
${script.trim()}
  }
  if ($null -ne $told) {
    [Console]::Out.Write((ConvertTo-Json -InputObject $told -Depth 5 -Compress))
  }
} catch {
  $id = $_.FullyQualifiedErrorId
  $text = $_.Exception.Message
  [Console]::Error.WriteLine($(if ($id -eq $text) { $text } else { "\${id}: $text" }))
  exit 1
}
`;
  const words = new Uint16Array(whole.length);
  for (let at = 0; at < whole.length; at++) words[at] = whole.charCodeAt(at);
  return [
    "-NoLogo",
    "-NoProfile",
    "-NonInteractive",
    "-InputFormat",
    "Text",
    "-OutputFormat",
    "Text",
    "-EncodedCommand",
    new Uint8Array(words.buffer).toBase64(),
  ];
}

/** What PowerShell makes of a list: one of one element may come as that, and some as an object. */
export function listOf<T>(value: unknown): T[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value;
  const { value: inner, Count } = value as { value?: unknown; Count?: unknown };
  return Count !== undefined && Array.isArray(inner) ? inner : [value as T];
}

/** Its standard input is in the console's code page: what is in all of them goes as it is. */
function asciiJson(value: Json): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function reasonOf({ code, stderr }: ExecResult): string {
  const lines = stderr.split(/\r?\n/).map((line) => line.trim());
  return lines.find((line) => line !== "") ?? `exit code ${code}`;
}

function failed(purpose: string, reason: string): UnsupportedError {
  return new UnsupportedError(
    "POWERSHELL_FAILED",
    `Cannot ${purpose}: Windows PowerShell says "${
      reason.replace(/\.+$/, "")
    }"`,
    {
      hint:
        "It needs Windows 10 or newer, and a PowerShell that no policy restricts.",
    },
  );
}
