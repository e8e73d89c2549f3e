#!/bin/sh
# Draw docs/images/frontier.png from a frontier's page, with headless Chromium.
# Usage: docs/images/make_frontier.sh out/frontier
set -eu
folder=$(cd "$1" && pwd)
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$profile" \
  --force-device-scale-factor=1.5 --window-size=1180,825 --virtual-time-budget=10000 \
  --screenshot="$(dirname "$0")/frontier.png" \
  "file://$folder/frontier.html#frontier&only"
