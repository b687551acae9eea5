# Shared by the project's scripts; source it, don't run it.
# shellcheck shell=bash

ustream_root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

if [[ -t 1 && -z "${NO_COLOR:-}" && "${TERM:-dumb}" != dumb ]]; then
  bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' dim=$'\e[2m' plain=$'\e[0m'
else
  bold='' red='' green='' dim='' plain=''
fi

# elapsed: minutes and seconds since the script began, as 03:07.
elapsed() { printf '%02d:%02d' $((SECONDS / 60)) $((SECONDS % 60)); }

# step TEXT: announces what is done next.
step() { printf '%s==> [%s] %s%s\n' "$bold" "$(elapsed)" "$*" "$plain"; }

# die TEXT: says what went wrong and ends the script.
die() {
  printf '%s%s%s\n' "$red" "$*" "$plain" >&2
  exit 1
}

# packages_of GROUP: the packages of a group in scripts/packages.txt.
packages_of() {
  awk -v group="$1" '/^# group: /{inside = ($3 == group)} inside && !/^#/ && NF' \
    "$ustream_root/scripts/packages.txt"
}

# missing_packages GROUP...: those of the groups that are not installed.
missing_packages() {
  local group wanted=() installed
  for group in "$@"; do
    mapfile -t -O "${#wanted[@]}" wanted < <(packages_of "$group")
  done
  installed="$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
    sed -n 's/^installed //p')"
  printf '%s\n' "${wanted[@]}" | grep -vxF -f <(printf '%s\n' "$installed" 'none') || true
}

# ensure_packages GROUP...: installs what is missing, through apt-get.
ensure_packages() {
  if ! command -v dpkg-query >/dev/null; then
    printf 'This is no Debian system; these must be there under their names here: %s\n' \
      "$(for group in "$@"; do packages_of "$group"; done | tr '\n' ' ')" >&2
    return 0
  fi
  local missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0

  if ((EUID != 0)); then
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
      as_root=(sudo)
    else
      die "Packages are missing, and installing them needs root. Run this, then try again:
  apt-get update && apt-get install ${missing[*]}"
    fi
  fi
  step "Installing ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null ||
    die "apt-get update failed; missing are: ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null ||
    die "apt-get could not install: ${missing[*]}"
}
