// SPDX-License-Identifier: Apache-2.0
// The wire's rows: a version pulled and a contribution pushed over TCP loopback, beside what a bare
// socket does with as many bytes.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "tests/bench/table/row.h"
#include "tests/bench/wire/cipher.h"
#include "tests/bench/wire/live_shard.h"
#include "tests/bench/wire/raw_peer.h"

ABSL_FLAG(std::string, server, CONADV_BIN_DIR "/conadv-server", "the server under test");
ABSL_FLAG(int, rounds, 7, "samples of each figure");
ABSL_FLAG(uint64_t, mib, 0, "a version's size; 0: 64 and 256 MiB");
ABSL_FLAG(std::string, repeat, "",
          "pull or push: this and nothing else, for a profiler to look at");

namespace conadv::bench {
namespace {

constexpr uint64_t kMiB = 1 << 20;

std::vector<double> Rates(const std::vector<double>& seconds, size_t bytes) {
  std::vector<double> rates;
  for (const double one : seconds) rates.push_back(1e-9 * static_cast<double>(bytes) / one);
  return rates;
}

void PrintRows(uint64_t mib, int rounds, RawPeer* tcp, RawPeer* local) {
  LiveShard shard(absl::GetFlag(FLAGS_server), mib * kMiB / sizeof(float));
  const size_t bytes = shard.bytes();
  const auto seen = Interleave(rounds, {
                                           [&] { return shard.Pull(); },
                                           [&] { return tcp->Receive(bytes); },
                                           [&] { return shard.Push(); },
                                           [&] { return tcp->Send(bytes); },
                                           [&] { return local->Receive(bytes); },
                                           [&] { return shard.PullByConnections(4) / 4; },
                                       });
  std::vector<std::vector<double>> rates;
  for (const auto& seconds : seen) rates.push_back(Rates(seconds, bytes));
  const std::string size = absl::StrCat(mib, " MiB");
  Print({"pull over TCP loopback, " + size, "GB/s", "one raw TCP stream", rates[0], rates[1], 0.85,
         false, ""});
  Print({"push over TCP loopback, " + size, "GB/s", "one raw TCP stream", rates[2], rates[3], 0.80,
         false, ""});
  Print({"a raw Unix socket, " + size, "GB/s", "one raw TCP stream", rates[4], rates[1],
         std::nullopt, false, ""});
  Print({"pull over 4 connections, " + size, "GB/s", "over one", rates[5], rates[0], std::nullopt,
         false, ""});
}

// Under TLS beside the same without it, and what its cipher alone costs.
void PrintTlsRows(uint64_t mib, int rounds) {
  LiveShard plain(absl::GetFlag(FLAGS_server), mib * kMiB / sizeof(float));
  LiveShard secured(absl::GetFlag(FLAGS_server), mib * kMiB / sizeof(float), /*tls=*/true);
  const size_t bytes = plain.bytes();
  Cipher cipher(bytes);
  const auto seen = Interleave(rounds, {
                                           [&] { return secured.Pull(); },
                                           [&] { return plain.Pull(); },
                                           [&] { return secured.Push(); },
                                           [&] { return plain.Push(); },
                                           [&] { return cipher.Seal(); },
                                       });
  std::vector<std::vector<double>> rates;
  for (const auto& seconds : seen) rates.push_back(Rates(seconds, bytes));
  const std::string size = absl::StrCat(mib, " MiB");
  Print({"pull under TLS, " + size, "GB/s", "the same without", rates[0], rates[1], std::nullopt,
         false, ""});
  Print({"push under TLS, " + size, "GB/s", "the same without", rates[2], rates[3], std::nullopt,
         false, ""});
  Print({"pull under TLS, " + size, "GB/s", "AES-256-GCM alone, one core", rates[0], rates[4],
         std::nullopt, false, "each end does as much"});
}

int Main() {
  std::vector<uint64_t> sizes = {64, 256};
  if (absl::GetFlag(FLAGS_mib) != 0) sizes = {absl::GetFlag(FLAGS_mib)};
  if (const std::string what = absl::GetFlag(FLAGS_repeat); !what.empty()) {
    LiveShard shard(absl::GetFlag(FLAGS_server), sizes.back() * kMiB / sizeof(float));
    std::vector<double> seconds;
    for (int i = 0; i < absl::GetFlag(FLAGS_rounds); ++i) {
      seconds.push_back(what == "pull" ? shard.Pull() : shard.Push());
    }
    Print({what, "GB/s", "", Rates(seconds, shard.bytes()), {}, std::nullopt, false, ""});
    return 0;
  }
  // A layout's padding makes a version a little longer than it was asked to be.
  const size_t most = (sizes.back() + 1) * kMiB;
  RawPeer tcp(RawPeer::Kind::kTcp, most), local(RawPeer::Kind::kUnix, most);
  for (const uint64_t mib : sizes) {
    PrintRows(mib, absl::GetFlag(FLAGS_rounds), &tcp, &local);
  }
  PrintTlsRows(sizes.back(), absl::GetFlag(FLAGS_rounds));
  return 0;
}

}  // namespace
}  // namespace conadv::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("What the wire carries, beside what a bare socket does.");
  absl::ParseCommandLine(argc, argv);
  return conadv::bench::Main();
}
