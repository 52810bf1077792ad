# Installs socktool for Windows: downloads the archive for this system, compares its SHA-256 with
# the release's list, and puts the program into a folder.
#
#   .\install.ps1                  the latest release
#   .\install.ps1 -Version 0.2.0   this one
#
# SOCKTOOL_INSTALL_DIR  where the program goes; %LOCALAPPDATA%\Programs\socktool otherwise
# SOCKTOOL_BASE_URL     a mirror of the releases, laid out as they are:
#                       BASE/download/vVERSION/FILE and BASE/latest/download/FILE

param([string] $Version = 'latest')

$ErrorActionPreference = 'Stop'
# The progress bar of Windows PowerShell makes downloads many times slower.
$ProgressPreference = 'SilentlyContinue'
# Windows PowerShell 5.1 does not offer TLS 1.2 by itself on every system.
[Net.ServicePointManager]::SecurityProtocol =
    [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

# Not by exit: where the script is run inside a shell, that would end the shell.
function Stop-Install([string] $Message) {
    throw "socktool: $Message"
}

function Get-ReleaseFile([string] $Url, [string] $Path) {
    try {
        Invoke-WebRequest -UseBasicParsing -Uri $Url -OutFile $Path
    } catch {
        Stop-Install "cannot download ${Url}: $($_.Exception.Message)"
    }
}

$base = 'https://github.com/socktool/socktool/releases'
if ($env:SOCKTOOL_BASE_URL) { $base = $env:SOCKTOOL_BASE_URL.TrimEnd('/') }
if ($Version -eq 'latest') {
    $from = "$base/latest/download"
} elseif ($Version -match '^v?[0-9]') {
    $from = "$base/download/v$($Version.TrimStart('v'))"
} else {
    Stop-Install "$Version is no version (write 0.2.0, or nothing for the latest)"
}

# A 32-bit PowerShell on 64-bit Windows finds the system's own architecture in the second variable.
$architecture = $env:PROCESSOR_ARCHITEW6432
if (-not $architecture) { $architecture = $env:PROCESSOR_ARCHITECTURE }
switch ($architecture) {
    'AMD64' { $target = 'x86_64-pc-windows-msvc' }
    'ARM64' { $target = 'aarch64-pc-windows-msvc' }
    default { Stop-Install "there is no release for Windows on $architecture" }
}

$folder = $env:SOCKTOOL_INSTALL_DIR
if (-not $folder) { $folder = Join-Path $env:LOCALAPPDATA 'Programs\socktool' }
$archive = "socktool-$target.zip"
$temporary = Join-Path ([IO.Path]::GetTempPath()) "socktool-$([Guid]::NewGuid())"
New-Item -ItemType Directory -Path $temporary | Out-Null

try {
    # Nobody else gets into it, also where several users share the temporary folder.
    $user = [Security.Principal.WindowsIdentity]::GetCurrent().User.Value
    icacls $temporary /inheritance:r /grant:r "*${user}:(OI)(CI)F" | Out-Null
    if ($LASTEXITCODE -ne 0) { Stop-Install "cannot keep others out of $temporary" }
    Write-Host "socktool: downloading $from/$archive"
    $sums = Join-Path $temporary 'SHA256SUMS'
    $download = Join-Path $temporary $archive
    Get-ReleaseFile "$from/SHA256SUMS" $sums
    Get-ReleaseFile "$from/$archive" $download

    $expected = Get-Content $sums | ForEach-Object {
        $hash, $file = $_ -split '\s+\*?', 2
        if ($file -ceq $archive) { $hash }
    } | Select-Object -First 1
    if (-not $expected) { Stop-Install "SHA256SUMS of this release does not list $archive" }
    $actual = (Get-FileHash -Algorithm SHA256 -Path $download).Hash
    if ($actual -ine $expected) {
        Stop-Install ("$archive is not what the release lists, nothing was installed`n" +
            "  expected SHA-256 $expected`n  downloaded       $($actual.ToLowerInvariant())")
    }

    Expand-Archive -Path $download -DestinationPath $temporary
    $program = Join-Path $temporary "socktool-$target\socktool.exe"
    if (-not (Test-Path $program)) { Stop-Install "$archive has no program in it" }
    New-Item -ItemType Directory -Force -Path $folder | Out-Null
    $installed = Join-Path $folder 'socktool.exe'
    $new = Join-Path $folder 'socktool.new.exe'
    # A copy has the permissions of the folder that it is in; what is moved keeps those it had.
    Copy-Item -Force $program $new
    # Tried where it will be, before it takes the place of one that works.
    $told = & $new --version
    if ($LASTEXITCODE -ne 0) {
        Stop-Install "the new program does not run here (exit code $LASTEXITCODE), nothing was installed"
    }
    # A program that runs cannot be overwritten, but it can be renamed.
    if (Test-Path $installed) {
        Remove-Item -Force -ErrorAction SilentlyContinue "$installed.old"
        Move-Item -Force $installed "$installed.old"
    }
    Move-Item $new $installed
    Remove-Item -Force -ErrorAction SilentlyContinue "$installed.old"
    Write-Host "socktool: installed $told as $installed"
    if (($env:PATH -split ';') -notcontains $folder) {
        Write-Host "socktool: $folder is not in PATH; add it in the system's settings, or here:"
        Write-Host "  `$env:PATH = `"$folder;`$env:PATH`""
    }
} finally {
    if ($new) { Remove-Item -Force -ErrorAction SilentlyContinue $new }
    Remove-Item -Recurse -Force -ErrorAction SilentlyContinue $temporary
}
