import type { Candidates, CompletedCommand, CompletedFlag, CompletionModel } from "./model.ts";

/** A completion script for PowerShell, Windows PowerShell 5.1 and later. */
export function renderPowershell(model: CompletionModel): string {
  const { name, commands } = model;
  return `# PowerShell completion for ${name}.
# For this shell: ${name} completions powershell | Out-String | Invoke-Expression
# For all later ones, the same line in the file that $PROFILE names.

Register-ArgumentCompleter -Native -CommandName ${quote(name)}, ${
    quote(`${name}.exe`)
  } -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # A flag's third entry is what its value can be, '' if it takes none.
    $programFlags = @(
${flagRows(model.flags, 8)}
    )
    $commands = [ordered]@{
${commands.map(commandEntry).join("\n")}
    }

    # The words before the one to complete, without the program.
    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition -or $_.Extent.Text -ne $wordToComplete } |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text } | Select-Object -Skip 1)

    $command = $null
    $kind = $null
    $place = 0
    $ended = $false
    foreach ($word in $words) {
        if ($null -ne $kind) { $kind = $null; continue }
        if ($null -eq $command) {
            if (-not $word.StartsWith('-')) { $command = $word }
        } elseif ($ended -or $word -eq '-' -or -not $word.StartsWith('-')) {
            $place++
        } elseif ($word -eq '--') {
            $ended = $true
        } elseif ($commands.Contains($command)) {
            $flag = $commands[$command].Flags | Where-Object { $_[0] -ceq $word -or $_[1] -ceq $word }
            if ($flag -and $flag[2]) { $kind = $flag[2] }
        }
    }

    $prefix = ''
    $text = $wordToComplete
    $candidates = @()
    if ($null -eq $kind) {
        if (-not $ended -and $text -match '^(--[^=]+)=(.*)$') {
            $name = $Matches[1]
            $prefix = $name + '='
            $text = $Matches[2]
            if ($command -and $commands.Contains($command)) {
                $flag = $commands[$command].Flags | Where-Object { $_[0] -ceq $name }
                if ($flag) { $kind = $flag[2] }
            }
        } elseif (-not $ended -and $text.StartsWith('-')) {
            $flags = if ($command) { $commands[$command].Flags } else { $programFlags }
            $candidates = @($flags | ForEach-Object {
                $help = $_[3]
                $_[0..1] | Where-Object { $_ } | ForEach-Object { , @($_, $help) }
            })
        } elseif ($null -eq $command) {
            $candidates = @($commands.Keys | ForEach-Object { , @($_, $commands[$_].Summary) })
        } elseif ($commands.Contains($command)) {
            $places = $commands[$command].Words
            $kind = if ($place -lt $places.Count) { $places[$place] } else { $commands[$command].Rest }
        }
    }
    if ($kind -and $kind.StartsWith('words ')) {
        $candidates = @($kind.Substring(6).Split(' ') | ForEach-Object { , @($_, $_) })
    }

    $results = @(
        if ($kind -eq 'paths' -or $kind -eq 'folders') {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($text) |
                Where-Object { $kind -eq 'paths' -or $_.ResultType -eq 'ProviderContainer' } |
                ForEach-Object {
                    [System.Management.Automation.CompletionResult]::new(
                        $prefix + $_.CompletionText, $_.ListItemText, $_.ResultType, $_.ToolTip)
                }
        } else {
            $candidates | Where-Object { $_ -and $_[0].StartsWith($text) } | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new(
                    $prefix + $_[0], $_[0], 'ParameterValue', $_[1])
            }
        }
    )
    # Without any result PowerShell would offer files; an empty text keeps it from that.
    if ($results.Count -eq 0) { '' } else { $results }
}
`;
}

function commandEntry({ name, summary, flags, words, rest }: CompletedCommand): string {
  const places = words.map(({ candidates }) => quote(kindText(candidates))).join(", ");
  return `        ${quote(name)} = @{
            Summary = ${quote(summary)}
            Words = @(${places})
            Rest = ${quote(rest === undefined ? "" : kindText(rest.candidates))}
            Flags = @(
${flagRows(flags, 16)}
            )
        }`;
}

/** Every row starts with a comma, or PowerShell would take a single row for the list itself. */
function flagRows(flags: readonly CompletedFlag[], indent: number): string {
  return flags.map(({ long, short = "", value, help }) => {
    const kind = value === undefined ? "" : kindText(value);
    const row = [long, short, kind, help].map(quote).join(", ");
    return `${" ".repeat(indent)}, @(${row})`;
  }).join("\n");
}

function kindText(candidates: Candidates): string {
  return candidates.kind === "words" ? `words ${candidates.words.join(" ")}` : candidates.kind;
}

/** PowerShell reads typographic quotes as quotes too. */
function quote(text: string): string {
  return `'${text.replace(/['\u2018\u2019\u201a\u201b]/g, "$&$&")}'`;
}
