#!/bin/sh
# socktool @VERSION@ for @TRIPLE@, in one file: this script, and behind it a compressed archive of
# the program and of the runtime that runs it. The first start unpacks it into a folder of the
# user's cache; every start then replaces this shell by the program itself.
#
# SOCKTOOL_CACHE names the folder to unpack into, if the usual ones are not to be used.

# In braces, so that a shell that gets only a part of this script does nothing.
{
set -u
PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}
export PATH

key=@KEY@
head_bytes=@HEAD_BYTES@
file_bytes=@FILE_BYTES@
problems=

fail() {
    printf 'socktool: %s\n' "$*" >&2
    exit 1
}

# Whether a folder has the whole program. Programs that clean caches may have removed files.
is_whole() {
    [ -x "$1/deno" ] || return 1
    for file in @FILES@; do
        [ -f "$1/$file" ] || return 1
    done
}

# Prints the parts of a folder's path, as it is written and as it really is, through which others can
# change where it leads: parts that belong neither to the user nor to the system, and folders that
# others can write to without a sticky bit, which would keep them from replacing the user's files.
# Fails if it cannot tell.
weak_parts() {
    written=$1
    system=$2
    set --
    for part in "$written" "$real"; do
        set -- "$@" "$part"
        while [ "$part" != / ]; do
            part=${part%/*}
            part=${part:-/}
            set -- "$@" "$part"
        done
        [ "$real" != "$written" ] || break
    done
    find "$@" -prune \( \
        ! \( -user 0 -o -user "$uid" -o -user "$system" \) -o \
        ! -type l \( -perm -020 -o -perm -002 \) ! -perm -1000 \
        \) -print
}

# Whether nobody else can change where a folder's path leads; prints the parts through which they can.
# Sets real to where it leads: the path as it is written may have links that lead to links in folders
# of others, so that only the real one leads there for sure the next time.
is_out_of_reach() {
    if ! real=$(cd -P -- "$1" 2>&1 && pwd -P); then
        echo "it cannot be checked: $real"
        return 1
    fi
    weak=$(weak_parts "$1" 0 2>&1) && [ -z "$weak" ] && return
    # In some containers the system's files do not belong to root.
    # shellcheck disable=SC2012
    owner=$(ls -ldn / | { read -r _ _ owner _ && echo "$owner"; })
    if ! weak=$(weak_parts "$1" "$owner" 2>&1); then
        echo "it cannot be checked: $weak"
        return 1
    fi
    [ -z "$weak" ] && return
    weak=$(printf '%s\n' "$weak" | head -n 1)
    echo "others could change it: $weak belongs to somebody else, or others can write to it"
    return 1
}

# Prints the real path of a folder, which is made if it is missing. If others can change or replace it,
# prints how, and fails. Runs in a subshell, so that its variables and umask do not remain set.
settle() {
    umask 077
    path=$1
    there=$path
    until [ -e "$there" ] || [ -L "$there" ]; do
        there=${there%/*}
        there=${there:-/}
    done
    is_out_of_reach "$there" || return 1
    if [ "$there" != "$path" ]; then
        path=${real%/}${path#"$there"}
        mkdir -p -- "$path" 2>&1 || return 1
        # Somebody else may have made it in the meantime.
        is_out_of_reach "$path" || return 1
    fi
    if [ -L "$path" ]; then
        echo 'it is a link'
        return 1
    fi
    printf '%s\n' "$real"
}

# Whether a folder and everything in it belong to the user, and nobody else can reach into it. The
# check is made from inside the folder, so that it is the folder that was opened. Files in the
# runtime's own cache may have any mode that the user's umask gives.
is_private() (
    [ ! -L "$1" ] && cd -P -- "$1" 2>/dev/null || return 1
    found=$(find . \
        -name . -type d -user "$uid" ! -perm -040 ! -perm -020 ! -perm -010 \
        ! -perm -004 ! -perm -002 ! -perm -001 -print -o \
        ! -name . \( ! -user "$uid" -o -type l -o \
        ! -path './cache*' \( -perm -020 -o -perm -002 \) \) -print 2>/dev/null)
    [ "$found" = . ]
)

# Replaces this shell by the program. The variables are for the runtime; the program removes them.
run() {
    folder=$1
    shift
    SOCKTOOL_PORTABLE=
    [ -n "${DENO_DIR:-}" ] || set_for_runtime DENO_DIR "$folder/cache"
    # Else, where there is no Node.js, it puts a link by its name into its cache, and that into PATH.
    [ -n "${DENO_DISABLE_NODE_SHIM:-}" ] || set_for_runtime DENO_DISABLE_NODE_SHIM 1
    [ -n "${DENO_NO_UPDATE_CHECK:-}" ] || set_for_runtime DENO_NO_UPDATE_CHECK 1
    [ -n "${DENO_NO_PACKAGE_JSON:-}" ] || set_for_runtime DENO_NO_PACKAGE_JSON 1
    # See cmd/_cli/large_allocations.ts: large memory is the system's again when it is freed.
    [ -n "${MALLOC_MMAP_THRESHOLD_:-}" ] || set_for_runtime MALLOC_MMAP_THRESHOLD_ 262144
    [ -n "${MALLOC_TRIM_THRESHOLD_:-}" ] || set_for_runtime MALLOC_TRIM_THRESHOLD_ 4194304
    export SOCKTOOL_PORTABLE
    exec "$folder/deno" run --quiet --no-config --no-lock --no-remote --no-npm \
        --unstable-net @PERMISSIONS@ \
        --preload "$folder/@PRELOAD@" "$folder/@MAIN@" "$@"
    fail "cannot run $folder/deno"
}

set_for_runtime() {
    export "$1=$2"
    SOCKTOOL_PORTABLE="$SOCKTOOL_PORTABLE $1"
}

# Fails if this file is incomplete or made for another system.
check_file() {
    [ -r "$0" ] || fail "cannot read $0"
    bytes=$(($(wc -c <"$0")))
    [ "$bytes" -ge "$file_bytes" ] ||
        fail "$0 is incomplete: it has $bytes of $file_bytes bytes; copy or download it again"
    case $(uname -s)/$(uname -m) in
    @SYSTEMS@) ;;
    *) fail "this file is for @TRIPLE@, but this system is $(uname -s) on $(uname -m)" ;;
    esac
}

archive() {
    tail -c "+$((head_bytes + 1))" "$0"
}

# Unpacks into a folder under a temporary name, and renames it when it is complete. Prints what went
# wrong. Runs in a subshell, so that its variables, traps and umask do not remain set.
unpack() {
    parent=$1
    umask 077
    # Remove what starts that were killed left behind.
    for stale in "$parent"/.unpacking-*; do
        [ -d "$stale" ] && [ ! -L "$stale" ] &&
            find "$stale" -prune -user "$uid" -mtime +1 -exec rm -rf {} + 2>/dev/null
    done
    new=$(mktemp -d "$parent/.unpacking-XXXXXX" 2>&1) || {
        echo "$new"
        return 1
    }
    trap 'rm -rf "$new"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
    # -o: the files belong to the user, also if root unpacks them.
    reason=$(
        {
            archive |
                { gzip -dc || : >"$new/.damaged"; } |
                tar -xof - -C "$new" && chmod -R go= "$new"
        } 2>&1
    )
    unpacked=$?
    if [ "$unpacked" -ne 0 ] || [ -e "$new/.damaged" ]; then
        if archive | gzip -t 2>/dev/null; then
            reason=$(echo "$reason" | head -n 1)
            echo "unpacking failed; it takes @NEEDED@ of space ($reason)"
        else
            echo 'this file is damaged; copy or download it again'
        fi
        return 1
    fi
    # The file system may forbid running programs, and the system may lack libraries.
    works=$("$new/deno" --version 2>&1) || {
        echo "what is unpacked there cannot be run: $works"
        return 1
    }
    if [ -e "$parent/$key" ] && ! is_whole "$parent/$key" && is_private "$parent/$key"; then
        mv "$parent/$key" "$new/.broken" 2>/dev/null
    fi
    # If another start was faster, mv moves this folder into its folder, where nothing uses it.
    mv "$new" "$parent/$key" 2>/dev/null
    is_private_soon "$parent/$key" && rm -rf "$parent/$key/.broken" "$parent/$key/${new##*/}"
    is_whole "$parent/$key" || {
        echo 'it was changed while it was unpacked'
        return 1
    }
}

# Removes what other versions unpacked, if no process runs it and nobody has for a week: processes in
# other containers cannot be seen from here. Runs when a version is unpacked.
remove_unused() {
    # Where there is no way to see what runs, nothing is removed.
    if [ -e /proc/self/exe ]; then
        # shellcheck disable=SC2012
        running=$(ls -l /proc/[0-9]*/exe 2>/dev/null)
    else
        running=$(ps -A -o args= 2>/dev/null)
    fi
    [ -n "$running" ] || return 0
    for other in "$1"/[0-9]*.[0-9]*.[0-9]*-????????????????; do
        [ "$other" != "$1/$key" ] && [ -x "$other/deno" ] && is_private "$other" || continue
        case $running in
        *"$other/deno"*) ;;
        *) [ -z "$(find "$other/deno" -atime +6 2>/dev/null)" ] || rm -rf "$other" ;;
        esac
    done
}

# is_private, for a folder that another start may just be putting in its place.
is_private_soon() {
    is_private "$1" || { sleep 1 && is_private "$1"; }
}

# Replaces this shell by the program in a folder, after unpacking it there if it is missing. Returns
# only if that fails: with 2 if others can reach into the folder, or could, else with 1.
try() {
    asked=$1
    shift
    parent=$(settle "$asked") || {
        add_problem "$asked: $parent"
        return 2
    }
    folder=$parent/$key
    if [ -e "$folder" ] || [ -L "$folder" ]; then
        is_private "$folder" || {
            add_problem "$folder: it is not yours alone (owner, mode 0700, and no links in it)"
            return 2
        }
        is_whole "$folder" && run "$folder" "$@"
    fi
    check_file
    problem=$(unpack "$parent") || {
        add_problem "$asked: ${problem:-it cannot be written}"
        return 1
    }
    if is_private_soon "$folder"; then
        remove_unused "$parent"
        run "$folder" "$@"
    fi
    add_problem "$folder: somebody else was faster"
    return 2
}

add_problem() {
    problems="$problems
  $1"
}

# Tries a folder in TMPDIR, where others can write too: one that is named after the user. If somebody
# else made it first, tries one with a random name.
try_temporary() {
    case ${TMPDIR:-} in
    /*) named=$TMPDIR/socktool-$uid ;;
    *) named=/tmp/socktool-$uid ;;
    esac
    try "$named" "$@"
    [ $? -eq 2 ] || return 1
    for fresh in "$named"-??????; do
        if [ -d "$fresh" ] && [ ! -L "$fresh" ] && [ -O "$fresh" ]; then try "$fresh" "$@"; fi
    done
    fresh=$(mktemp -d "$named-XXXXXX" 2>/dev/null) || return 1
    try "$fresh" "$@"
    rmdir "$fresh" 2>/dev/null
}

uid=$(id -u)
case ${SOCKTOOL_CACHE:-} in
'')
    # The XDG specification says to ignore a relative path, and one of HOME leads nowhere certain.
    case ${XDG_CACHE_HOME:-} in
    /*) try "$XDG_CACHE_HOME/socktool" "$@" ;;
    *) case ${HOME:-} in /*) try "$HOME/.cache/socktool" "$@" ;; esac ;;
    esac
    try_temporary "$@"
    ;;
/*) try "$SOCKTOOL_CACHE" "$@" ;;
*) try "$PWD/$SOCKTOOL_CACHE" "$@" ;;
esac
fail "cannot unpack the program (SOCKTOOL_CACHE=FOLDER names another place for it):$problems"
exit 1
}
