#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that one purpose needs, and does nothing where they are all there. Knows Debian 12 (bookworm)
# and 13 (trixie), which name some libraries differently.
#   deploy/install.sh [SET [VERSIONS]|list SET [SUITE]]
#     build         build everything and run every test but the live page's (default)
#     build-server  build the server and the command line: no LibTorch
#     build-worker  build the programs, without tests
#     test          build everything and run every test; the live page's wants a browser, 410 MB
#     sanitize      build the server and the tests with clang's sanitizers, and fuzz targets: no LibTorch
#     lint          clang, clang-format, clang-tidy
#     run-server    run conadv-server, and conadv that was built without `train`
#     run-worker    run conadv-worker, Fashion-MNIST included
# VERSIONS is a folder with a file SUITE-SET.txt, of lines PACKAGE=VERSION: these and no others, which the archive has to have.
set -euo pipefail

build_server=(
  g++ make cmake ninja-build ccache pkg-config
  libgrpc++-dev protobuf-compiler-grpc protobuf-compiler libprotobuf-dev libabsl-dev libgoogle-glog-dev
  libhwy-dev nlohmann-json3-dev libisal-dev zlib1g-dev libssl-dev libjemalloc-dev
  libturbojpeg0-dev libpng-dev libopencv-imgproc-dev libboost-dev prometheus-cpp-dev
)
build_worker=("${build_server[@]}" libtorch-dev libopenblas0-pthread dataset-fashion-mnist)
unit_tests=(libgtest-dev libgmock-dev)
# The deployment's tests read YAML, ask for health over gRPC, make network namespaces and certificates; models are compared with
# PyTorch's.
# The Python client is built by pip, checked by mypy, and tested with certificates of openssl's. FUSE makes a
# network's disk.
build=(
  "${build_worker[@]}"
  "${unit_tests[@]}" libbenchmark-dev
  python3 python3-yaml python3-grpcio python3-protobuf iproute2 openssl
  python3-torch python3-torchvision
  python3-numpy python3-pip python3-setuptools python3-wheel mypy python3-fusepy fuse3
)
test=("${build[@]}" chromium prometheus python3-prometheus-client)
# llvm names functions and lines in the sanitizers' reports.
sanitize=("${build_server[@]}" "${unit_tests[@]}" clang libclang-rt-dev llvm)
lint=(clang clang-format clang-tidy)
run_any=(libisal2 zlib1g libjemalloc2)
run_server=(libprometheus-cpp-core1.0)
# OpenBLAS, as LibTorch's dependency on any BLAS would be met by the slow reference one.
run_worker=(libturbojpeg0 libopenblas0-pthread dataset-fashion-mnist)
declare -A run_any_of=(
  [bookworm]="libssl3 libgrpc++1.51 libprotobuf32 libgoogle-glog0v6 libhwy1"
  [trixie]="libssl3t64 libgrpc++1.51t64 libprotobuf32t64 libgoogle-glog0v6t64 libhwy1t64"
)
declare -A run_worker_of=(
  [bookworm]="libtorch1.13 libpng16-16 libopencv-imgproc406"
  [trixie]="libtorch2.6 libpng16-16t64 libopencv-imgproc410"
)

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

# packages_of SET SUITE
packages_of() {
  local set=$1 suite=$2
  if [[ $set == run-* && -z "${run_any_of[$suite]:-}" ]]; then
    fail "the packages of '$set' are known for: ${!run_any_of[*]}. For '$suite', look up what those of trixie are called there: $(packages_of "$set" trixie)"
  fi
  case $set in
    build) echo "${build[@]}" ;;
    test) echo "${test[@]}" ;;
    build-server) echo "${build_server[@]}" ;;
    build-worker) echo "${build_worker[@]}" ;;
    sanitize) echo "${sanitize[@]}" ;;
    lint) echo "${lint[@]}" ;;
    run-server) echo "${run_any_of[$suite]} ${run_any[*]} ${run_server[*]}" ;;
    run-worker) echo "${run_any_of[$suite]} ${run_any[*]} ${run_worker_of[$suite]} ${run_worker[*]}" ;;
    *) fail "no set '$set': it is build, build-server, build-worker, test, sanitize, lint, run-server or run-worker" ;;
  esac
}

missing_of() {
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' || true)
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

here=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}") || true
here=${here:-unknown}
if [ "${1:-}" = list ]; then
  packages_of "${2:-build}" "${3:-$here}"
  exit
fi
[ $# -le 2 ] || fail "one set at a time, got: $*"
set_name=${1:-build}
read -ra wanted <<<"$(packages_of "$set_name" "$here")"
[ ${#wanted[@]} -gt 0 ] || exit 1

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
  fail "this is not Debian. Install the equivalents of these Debian packages by hand: ${wanted[*]}"
mapfile -t missing < <(missing_of "${wanted[@]}")
if [ $# -eq 2 ]; then
  versions=$2/$here-$set_name.txt
  [ -f "$versions" ] || fail "there is no $versions"
  mapfile -t missing < <(grep -v '^#' "$versions")
fi
# The manifests' test takes Kubernetes' schemas from npm packages. Other vendors' node.js carries npm and is no package `npm`.
if [ "$set_name" = test ] && ! command -v npm >/dev/null; then missing+=(npm); fi
if [ ${#missing[@]} -eq 0 ]; then
  echo "install.sh: every package of '$set_name' is installed"
  exit
fi

[ -n "${run_any_of[$here]:-}" ] ||
  echo "install.sh: written for Debian 12 (bookworm) and 13 (trixie), this is '$here': package names may differ" >&2
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || fail "needs root to install: ${missing[*]}. Run it as root, or install sudo"
  as_root=(sudo)
fi
echo "install.sh: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends --allow-downgrades "${missing[@]}" >/dev/null
