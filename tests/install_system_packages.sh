#!/bin/sh
# Install the Debian packages that some tests need, where this machine lets us; else name what is skipped.
missing=""
command -v cp2k.psmp >/dev/null 2>&1 || missing="$missing cp2k cp2k-data"
command -v chromium >/dev/null 2>&1 && command -v chromedriver >/dev/null 2>&1 \
  || missing="$missing chromium chromium-driver"
command -v sbatch >/dev/null 2>&1 && [ -x /usr/sbin/slurmd ] && [ -x /usr/sbin/munged ] \
  || missing="$missing slurm-wlm munge"
[ -n "$missing" ] || exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "installing Debian packages:$missing"
  if apt-get update -qq >/dev/null \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null; then
    exit 0
  fi
fi
echo "not installed:$missing. The tests that need them are skipped by name."
echo "To run them: sudo apt-get install$missing"
