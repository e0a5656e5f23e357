#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds both images and sees that they run as a cluster runs them: as another user than root, on a read-only root, without
# privileges, without a shell; that the server answers its health check and ends at SIGTERM.
#   deploy/docker/check.sh [--pin] [server|worker]...
# Needs root, buildah, podman with runc, and mmdebstrap where the base cannot be pulled. It compiles conadv once for each image
# and takes half an hour on two cores, so it is no part of the tests. --pin also writes what was installed to versions/.
set -euo pipefail
cd "$(dirname "$0")/../.."

pin=
[ "${1:-}" != --pin ] || { pin=yes && shift; }
targets=("$@")
[ $# -gt 0 ] || targets=(server worker)
suite=bookworm
base=docker.io/library/debian:$suite-slim
work=$(mktemp -d)
name=conadv-check-$$
trap 'podman rm -f "$name" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
say() { printf '\n== %s\n' "$*"; }

for tool in buildah podman runc; do
  command -v "$tool" >/dev/null || { echo "needs $tool: apt-get install --no-install-recommends $tool" >&2; exit 1; }
done
# What works without systemd and with either version of cgroups.
cat >"$work/containers.conf" <<'EOF'
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=8192:8192"]
EOF
export CONTAINERS_CONF=$work/containers.conf BUILDAH_ISOLATION=chroot

if ! podman image exists "$base" && ! podman pull -q "$base" 2>/dev/null; then
  say "no $base to pull: the same from Debian's packages"
  mmdebstrap --quiet --variant=minbase "$suite" "$work/base.tar"
  podman import -q "$work/base.tar" "$base"
  rm "$work/base.tar"
fi

# Builds go faster where the compiler's cache is there already.
volumes=()
[ ! -d "$HOME/.cache/ccache" ] ||
  volumes=(--volume "$HOME/.cache/ccache:/root/.cache/ccache")

# Podman's flags for a container as the manifests want it.
restricted=(--read-only --read-only-tmpfs=false --cap-drop=all --security-opt=no-new-privileges --memory=1g)

check_server() {
  printf 'model { builtin: "mlp" }\ndataset { path: "/data" }\noptimizer { sgd {} }\nschedule { peak: 0.1 constant {} }\n' \
    >"$work/job.textproto"
  chmod 755 "$work" && chmod 644 "$work/job.textproto"
  podman run -d --name "$name" "${restricted[@]}" --tmpfs /var/lib/conadv:mode=1777 -v "$work/job.textproto:/etc/conadv/job.textproto:ro" \
    conadv-server --servers=localhost:7000 --listen=0.0.0.0:7000 --job=/etc/conadv/job.textproto --checkpoint_dir=/var/lib/conadv/checkpoints --insecure
  podman exec "$name" /opt/conadv/bin/conadv status --server=localhost:7000 --timeout=20
  podman healthcheck run "$name"
  echo "user: $(podman exec "$name" id -u), may write to /: $(podman exec "$name" test -w / && echo yes || echo no)"
  [ "$(podman exec "$name" id -u)" = 65532 ]
  if podman exec "$name" touch /tmp/x 2>/dev/null; then exit 1; fi
  podman stop -t 30 "$name" >/dev/null
  code=$(podman inspect --format '{{.State.ExitCode}}' "$name")
  echo "ended at SIGTERM with $code"
  # Stopped before the run was over: docs/exit_codes.md.
  [ "$code" = 143 ]
  podman rm "$name" >/dev/null
}

check_worker() {
  podman run --rm --name "$name" "${restricted[@]}" conadv-worker --help >/dev/null
  # The data set and LibTorch are there: it gets as far as looking for a coordinator.
  { podman run --rm --name "$name" "${restricted[@]}" conadv-worker --coordinator=localhost:1 --connect_timeout=2 2>&1 || true; } |
    grep 'not reached within'
}

# The versions of what is installed for target $1, and of what that brought along beside the base.
versions_of() {
  local installed base_has package
  installed=$(podman run --rm --entrypoint=/bin/cat "conadv-$1" /opt/conadv/packages.txt | sort)
  base_has=$(podman run --rm "$base" dpkg-query -W -f '${Package}=${Version}\n' | sort)
  echo '# SPDX-License-Identifier: Apache-2.0'
  {
    comm -13 <(echo "$base_has") <(echo "$installed")
    for package in $(deploy/install.sh list "run-$1" "$suite"); do grep -F "$package=" <<<"$installed"; done
  } | sort -u
}

for target in "${targets[@]}"; do
  say "building conadv-$target"
  nice buildah bud -q --layers --format=docker -f deploy/docker/Dockerfile --target "$target" "${volumes[@]}" -t "conadv-$target" .
  podman image inspect --format "conadv-$target: {{.Size}} bytes" "conadv-$target"
  [ -z "$pin" ] || versions_of "$target" >"deploy/docker/versions/$suite-run-$target.txt"
  say "running conadv-$target"
  "check_$target"
done
say "all is well"
