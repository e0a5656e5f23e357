#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the Secret conadv-tokens with fresh tokens, one for each role:
#   deploy/kubernetes/tokens.sh | kubectl apply -n conadv -f -
# `tokens` is the servers' list; the others are single tokens, each for who presents it. To change them without a break, apply
# a Secret whose list has the old and the new lines, then the new tokens, then the list without the old lines.
set -euo pipefail

roles=(viewer worker server admin)
echo 'apiVersion: v1
kind: Secret
metadata:
  name: conadv-tokens
type: Opaque
stringData:'
list=
for role in "${roles[@]}"; do
  token=$(head -c 32 /dev/urandom | base64 | tr -d '\n=' | tr '+/' '-_')
  echo "  $role: $token"
  list+="    $role $token"$'\n'
done
printf '  tokens: |\n%s' "$list"
