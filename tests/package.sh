#!/usr/bin/env bash
# Installs the .deb, uses it like a person, removes it and looks for what is left. Needs root (or sudo), Xvfb,
# xdotool or xwininfo, and xdg-utils; takes a minute. Not part of `cargo xtask test`.
#
# Where there is rpm, the .rpm beside it is unpacked into a folder of its own, and must hold the same files.
#
#   cargo xtask package && tests/package.sh [PACKAGE.deb]
set -euo pipefail
cd "$(dirname "$0")/.."
deb=${1:-$(ls -t target/release/bundle/deb/*.deb | head -1)}
root=(); [ "$(id -u)" = 0 ] || root=(sudo)
home=$(mktemp -d)
display=:$((90 + RANDOM % 900))
xvfb=
say() { printf '== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
name=$(dpkg-deb --field "$deb" Package)
version=$(dpkg-deb --field "$deb" Version)
remove() { "${root[@]}" dpkg --purge "$name" >/dev/null; }
cleanup() {
  [ -z "$xvfb" ] || kill "$xvfb" 2>/dev/null || true
  if dpkg-query --show "$name" >/dev/null 2>&1; then remove || true; fi
  rm -rf "$home"
}
trap cleanup EXIT

if dpkg-query --show "$name" >/dev/null 2>&1; then fail "$name is installed already"; fi
files=$(dpkg-deb --fsys-tarfile "$deb" | tar --list --verbose | awk '$1 ~ /^-/ { print $NF }' | sed 's,^\./*,,; s,^/*,/,')
say "installing $name $version ($(wc -l <<<"$files") files)"
"${root[@]}" apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "$(realpath "$deb")" >"$home/apt.log" 2>&1 ||
  { tail "$home/apt.log"; fail "it does not install"; }

say "the command line"
[ "$(annals --version)" = "annals $version" ] || fail "annals --version: $(annals --version)"
annals sample shop --out "$home/shop.annals" --events 2000 >/dev/null
annals backup "$home/shop.annals" --out "$home/copy.annals" >/dev/null
annals info "$home/copy.annals" --json | grep -q '"events":2000' || fail "the backup holds 2000 events"
[ -f /usr/share/doc/annals/copyright ] || fail "no licence"

say "the file type"
"${root[@]}" update-mime-database /usr/share/mime
"${root[@]}" update-desktop-database /usr/share/applications 2>/dev/null || true
export HOME=$home XDG_CONFIG_HOME=$home/.config XDG_DATA_HOME=$home/.local/share XDG_CACHE_HOME=$home/.cache
grep -q '^[0-9]*:application/x-annals:\*\.annals$' /usr/share/mime/globs2 || fail "nobody knows *.annals"
if command -v gio >/dev/null; then
  # By its content too, whatever its name.
  cp "$home/shop.annals" "$home/unnamed"
  for file in shop.annals unnamed; do
    type=$(gio info --attributes standard::content-type "$home/$file" | sed -n 's/.*content-type: //p')
    [ "$type" = application/x-annals ] || fail "$file is said to be \"$type\""
  done
fi
desktop=$(grep -l 'MimeType=.*application/x-annals' /usr/share/applications/*.desktop | head -1)
[ -n "$desktop" ] || fail "no desktop entry takes stores"
grep -q '^Exec=annals-desktop %f$' "$desktop" || fail "$desktop: $(grep ^Exec= "$desktop")"
icon=$(sed -n 's/^Icon=//p' "$desktop")
ls /usr/share/icons/hicolor/*/apps/"$icon".png >/dev/null || fail "no icon $icon"

Xvfb "$display" -screen 0 1280x800x24 -nolisten tcp >/dev/null 2>&1 &
xvfb=$!
export DISPLAY=$display WEBKIT_DISABLE_DMABUF_RENDERER=1
windows() { xwininfo -root -tree 2>/dev/null | grep -c '"[^"]*Annals[^"]*"' || true; }
wait_for_windows() {
  for _ in $(seq 300); do
    [ "$(windows)" -ge 1 ] && return 0
    sleep 0.2
  done
  fail "no window after a minute"
}
end() { kill "$1"; wait "$1" 2>/dev/null || true; }

say "the window, from its desktop entry with a store"
line=$(sed -n 's/^Exec=//p' "$desktop")
${line/\%f/$home/shop.annals} >"$home/app.log" 2>&1 &
app=$!
wait_for_windows
for _ in $(seq 100); do grep -qs shop.annals "$home"/.config/*/recent.json "$home"/.config/*/*.json 2>/dev/null && break; sleep 0.2; done
grep -qs shop.annals "$home"/.config/*/*.json || { cat "$home/app.log"; fail "the store was not opened"; }
end "$app"

say "removing"
remove
for file in $files; do [ ! -e "$file" ] || fail "$file is left"; done
[ -z "$(grep -ls x-annals /usr/share/applications/mimeinfo.cache /usr/share/mime/globs2 2>/dev/null)" ] ||
  say "note: caches of file types are brought up to date by the system's triggers"
rpm=$(ls -t "$(dirname "$deb")"/../rpm/*.rpm 2>/dev/null | head -1)
if [ -n "$rpm" ] && command -v rpm >/dev/null; then
  say "the .rpm, in a folder of its own"
  # Debian's rpm knows nothing of what Debian has installed.
  "${root[@]}" rpm --root "$home/root" --install --nodeps --noscripts "$rpm" 2>"$home/rpm.log" || { cat "$home/rpm.log"; fail "it does not install"; }
  [ "$(rpm --query --package --list "$rpm" 2>/dev/null | sort)" = "$(sort <<<"$files")" ] || fail "it holds other files than the .deb"
  [ "$("$home/root/usr/bin/annals" --version)" = "annals $version" ] || fail "its annals --version"
  for file in $files; do [ -s "$home/root$file" ] || fail "it leaves no $file"; done
  "${root[@]}" rpm --root "$home/root" --erase --noscripts "$name" 2>/dev/null
  for file in $files; do [ ! -e "$home/root$file" ] || fail "$file is left of it"; done
  deb="$deb, $rpm"
fi

say "all is well: $deb"
