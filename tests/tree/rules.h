// SPDX-License-Identifier: Apache-2.0
// The house rules of the source tree, as one pure function of a file's path and text. Stateless,
// thread-safe.
#ifndef CONADV_TESTS_TREE_RULES_H_
#define CONADV_TESTS_TREE_RULES_H_

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace conadv::tree {

// Which components a component's files may include, besides its own. This is the figure of the
// arrows: proto <- common <- client <- {server, worker, cli}.
inline const std::map<std::string, std::vector<std::string>>& Arrows() {
  static const auto* const kArrows = new std::map<std::string, std::vector<std::string>>{
      {"common/base", {}},
      {"common/thread", {"common/base"}},
      {"common/os", {"common/base", "common/thread"}},
      {"common/tensor", {"common/base", "common/thread"}},
      {"common/stats", {"common/base"}},
      {"common/job", {"common/base", "common/tensor"}},
      {"common/security", {"common/base", "common/thread", "common/os"}},
      {"common/wire", {"common/base", "common/tensor", "common/os", "common/security"}},
      {"common/plan", {"common/base", "common/tensor", "common/job"}},
      {"common/protocol",
       {"common/base", "common/tensor", "common/job", "common/plan", "common/wire"}},
      {"common/program", {"common/base", "common/security"}},
      {"common/shared_memory", {"common/base", "common/thread", "common/os", "common/tensor"}},
      // What members of a run do to take part; grpc is one transport.
      {"client/transfer", {"common"}},
      {"client/grpc", {"common", "client/transfer"}},
      {"client/shared_memory", {"common", "client/transfer"}},
      {"client/run", {"common"}},
      // main -> process -> rpc -> transfer, record -> agent -> shard, coordinate -> snapshot, lease
      {"server/snapshot", {"common"}},
      {"server/aggregate", {"common"}},
      {"server/optimize", {"common"}},
      {"server/clip", {"common"}},
      {"server/checkpoint", {"common", "server/snapshot"}},
      {"server/lease", {"common"}},
      {"server/coordinate", {"common", "server/checkpoint", "server/lease"}},
      {"server/shard",
       {"common", "server/checkpoint", "server/snapshot", "server/aggregate", "server/optimize",
        "server/clip"}},
      {"server/agent", {"common", "server/shard", "server/coordinate", "server/checkpoint"}},
      {"server/record", {"common", "server/agent", "server/shard", "server/coordinate"}},
      {"server/transfer", {"common", "server/shard"}},
      {"server/transfer/shared_memory", {"common", "server/transfer", "server/shard"}},
      {"server/rpc",
       {"common", "client", "server/transfer", "server/record", "server/agent", "server/shard",
        "server/coordinate", "server/checkpoint", "server/clip"}},
      {"server/http", {"common"}},
      {"server/metrics",
       {"common", "server/rpc", "server/record", "server/agent", "server/shard",
        "server/coordinate"}},
      {"server/observe",
       {"common", "server/http", "server/metrics", "server/rpc", "server/record", "server/agent",
        "server/shard", "server/coordinate"}},
      {"server/process",
       {"common", "client", "server/observe", "server/rpc", "server/record", "server/agent",
        "server/shard", "server/coordinate", "server/clip", "server/transfer/shared_memory"}},
      {"server/main", {"common", "server"}},
      // main -> member -> compute -> attack -> model -> device -> data
      {"worker/data", {"common", "worker/data/augment"}},
      {"worker/data/augment", {"common"}},  // what it changes are pixels, wherever they come from
      {"worker/statistics", {"common"}},
      {"worker/session", {"common", "client/run", "worker/statistics"}},
      {"worker/device", {"common", "worker/data"}},
      {"worker/model", {"common", "worker/device"}},
      {"worker/attack", {"common", "worker/model", "worker/device"}},
      {"worker/compute",
       {"common", "worker/attack", "worker/model", "worker/device", "worker/data",
        "worker/data/augment"}},
      {"worker/schedule", {"common", "client/transfer", "worker/compute", "worker/statistics"}},
      {"worker/evaluate",
       {"common", "worker/attack", "worker/model", "worker/device", "worker/data"}},
      {"worker/member",
       {"common", "worker/compute", "worker/schedule", "worker/evaluate", "worker/attack",
        "worker/model", "worker/device", "worker/data", "worker/session", "worker/statistics",
        "client"}},
      {"worker/simulate",
       {"common", "client", "worker/member", "worker/compute", "worker/schedule",
        "worker/statistics"}},
      {"worker/standalone",
       {"common", "worker/evaluate", "worker/model", "worker/device", "worker/data"}},
      {"worker/main", {"common", "client", "worker"}},
      // main -> train -> run -> results, progress, process; train -> board; inspect, pull -> client
      {"cli/process", {"common"}},
      {"cli/format", {"common"}},
      {"cli/command", {"common"}},
      {"cli/job", {"common", "cli/command", "cli/format"}},
      {"cli/client", {"common", "client", "cli/format", "cli/command"}},
      {"cli/progress", {"common", "cli/format"}},
      {"cli/results", {"common", "cli/format"}},
      {"cli/board", {"common"}},
      {"cli/run", {"common", "cli/process", "cli/progress", "cli/results", "cli/format"}},
      {"cli/train",
       {"common", "cli/run", "cli/process", "cli/client", "cli/progress", "cli/results",
        "cli/board", "cli/job", "cli/command", "cli/format", "worker/data"}},
      {"cli/inspect", {"common", "cli/command", "cli/process", "cli/client", "cli/format"}},
      {"cli/complete", {"common", "cli/command"}},
      {"cli/doctor", {"common", "cli/command", "cli/client", "cli/format"}},
      {"cli/operate", {"common", "cli/command", "cli/client", "cli/format"}},
      {"cli/versions", {"common", "cli/client", "cli/format"}},
      {"cli/pull",
       {"common", "cli/command", "cli/process", "cli/client", "cli/format", "cli/versions"}},
      {"cli/evaluate",
       {"common", "cli/command", "cli/process", "cli/client", "cli/pull", "cli/results", "cli/job",
        "cli/progress", "cli/format"}},
      {"cli/main", {"common", "cli"}},
      {"clients/python", {}},  // knows the contract alone
  };
  return *kArrows;
}

inline const std::vector<std::string>& MayIncludeGeneratedCode() {
  static const auto* const kEdges = new std::vector<std::string>{
      "common/wire",    "common/job",    "common/plan",  "common/stats",   "common/protocol",
      "client/run",     "server/record", "server/rpc",   "server/observe", "server/process",
      "worker/session", "cli/client",    "cli/progress", "cli/inspect",    "cli/board",
      "cli/operate",    "cli/doctor",    "cli/versions"};
  return *kEdges;
}

inline const std::vector<std::string>& MayIncludeTorch() {
  static const auto* const kTorch = new std::vector<std::string>{
      "worker/device", "worker/model", "worker/attack", "worker/compute", "worker/evaluate"};
  return *kTorch;
}

// The core stays free of gRPC, so that ThreadSanitizer can check it.
inline const std::vector<std::string>& MayIncludeGrpc() {
  static const auto* const kGrpc = new std::vector<std::string>{
      "common/wire", "client/grpc",    "client/run",  "server/rpc", "server/process",
      "server/main", "worker/session", "worker/main", "cli/client"};
  return *kGrpc;
}

// Where tensors lie, and how many threads compute, is a device's business.
inline const std::vector<std::string>& MayPlaceTensors() {
  static const auto* const kDevices = new std::vector<std::string>{"worker/device", "tests"};
  return *kDevices;
}

// Where the calendar's time comes from, for people's eyes. cli/ shows it to them.
inline const std::vector<std::string>& MayReadTheCalendar() {
  static const auto* const kCalendar = new std::vector<std::string>{"common/base/clock.cc"};
  return *kCalendar;
}

constexpr int kMaxLines = 400;
constexpr absl::string_view kLicence = "SPDX-License-Identifier: Apache-2.0";

// "server/rpc" of "server/rpc/service.h", "server/main" of "server/main.cc"; of a folder in a
// component's that has arrows of its own, that folder. What
// lie in cli/ itself are the list of commands, which is main's. "tests" has no parts. Empty for any
// other file.
inline std::string ComponentOf(absl::string_view path) {
  const std::vector<absl::string_view> parts = absl::StrSplit(path, '/');
  if (parts[0] == "tests") return "tests";
  if (parts.size() > 3) {
    const std::string room = absl::StrCat(parts[0], "/", parts[1], "/", parts[2]);
    if (Arrows().count(room) > 0) return room;
  }
  if (parts.size() > 2) return absl::StrCat(parts[0], "/", parts[1]);
  if (parts[0] == "cli") return parts.size() == 2 ? "cli/main" : "";
  if (parts[0] != "server" && parts[0] != "worker") return "";
  if (parts.back() == "main.cc") return absl::StrCat(parts[0], "/main");
  return "";
}

inline bool Contains(const std::vector<std::string>& list, absl::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// Whether `list` names the component or the folder that it lies in.
inline bool Allows(const std::vector<std::string>& list, absl::string_view component) {
  return std::any_of(list.begin(), list.end(), [&](absl::string_view name) {
    return component == name || absl::StartsWith(component, absl::StrCat(name, "/"));
  });
}

// `line` without a // comment and without what stands between quotes.
inline std::string Code(absl::string_view line) {
  std::string code;
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      if (line.substr(i, 2) == "//") break;
      code += line[i];
    }
  }
  return code;
}

// What is wrong with `line`'s include, if it has one; else nothing.
inline std::string CheckInclude(absl::string_view path, absl::string_view line) {
  absl::string_view rest = absl::StripLeadingAsciiWhitespace(line);
  if (!absl::ConsumePrefix(&rest, "#include")) return "";
  rest = absl::StripLeadingAsciiWhitespace(rest);
  const bool quoted = absl::ConsumePrefix(&rest, "\"");
  if (!quoted && !absl::ConsumePrefix(&rest, "<")) return "";
  const absl::string_view header = rest.substr(0, rest.find(quoted ? '"' : '>'));

  const std::string from = ComponentOf(path);
  if (from == "tests") return "";
  if (absl::EndsWith(header, ".pb.h") && !Contains(MayIncludeGeneratedCode(), from)) {
    return absl::StrCat("includes ", header, ": generated protobuf code stays at the edges");
  }
  for (const absl::string_view torch : {"torch/", "ATen/", "c10/"}) {
    if (absl::StartsWith(header, torch) && !Contains(MayIncludeTorch(), from)) {
      return absl::StrCat("includes ", header, ": LibTorch stays in the worker's compute folders");
    }
  }
  for (const absl::string_view grpc : {"grpc/", "grpcpp/"}) {
    if (absl::StartsWith(header, grpc) && !Contains(MayIncludeGrpc(), from)) {
      return absl::StrCat("includes ", header, ": gRPC stays at the edges");
    }
  }
  if (!quoted) return "";
  if (!absl::StrContains(header, '/')) {
    return absl::StrCat("includes \"", header, "\": write the path from the root of the tree");
  }
  const absl::string_view top = header.substr(0, header.find('/'));
  if (top == "tests") return absl::StrCat("includes ", header, ": a test's file");
  if (top != "common" && top != "client" && top != "server" && top != "worker" && top != "cli")
    return "";
  const std::string to = ComponentOf(header);
  if (to == from || Allows(Arrows().at(from), to)) return "";
  return absl::StrCat("includes ", header, ": no arrow leads from ", from, " to ", to);
}

// What is wrong with `line`'s code, if anything.
inline std::string CheckCode(absl::string_view path, absl::string_view line) {
  const std::string code = Code(line);
  for (const absl::string_view sleep : {"sleep_for", "sleep_until", "SleepFor", "usleep(",
                                        "nanosleep(", " sleep(", "time.sleep("}) {
    if (absl::StrContains(code, sleep)) {
      return "sleeps: wait for the event itself, with a deadline";
    }
  }
  for (const absl::string_view now :
       {"absl::Now(", "system_clock", "time(nullptr)", "ToChronoTime("}) {
    if (absl::StrContains(code, now) && ComponentOf(path) != "tests" &&
        !Contains(MayReadTheCalendar(), path)) {
      return "reads the wall clock, which jumps: take Clock::Now(), or DeadlineIn() for a call";
    }
  }
  for (const absl::string_view place : {"from_blob(", "set_num_threads(", "pin_memory"}) {
    if (absl::StrContains(code, place) && !Contains(MayPlaceTensors(), ComponentOf(path))) {
      return "assumes where tensors lie or what computes: ask the Device";
    }
  }
  if (absl::StrContains(code, "absl::Mutex")) {
    return "uses Abseil's mutex, which ThreadSanitizer cannot see: take common/base/mutex.h";
  }
  return "";
}

// Every broken rule of the file at `path` (from the root of the tree) with this text, one line
// each.
inline std::vector<std::string> Check(absl::string_view path, absl::string_view text) {
  std::vector<std::string> broken;
  const std::vector<absl::string_view> lines = absl::StrSplit(absl::StripSuffix(text, "\n"), '\n');
  const auto add = [&](size_t line, absl::string_view what) {
    if (!what.empty()) broken.push_back(absl::StrCat(path, ":", line + 1, ": ", what));
  };
  const size_t first = absl::StartsWith(lines[0], "#!") ? 1 : 0;
  if (first >= lines.size() || !absl::StrContains(lines[first], kLicence)) {
    add(first, absl::StrCat("must begin with the line ", kLicence));
  }
  if (lines.size() > kMaxLines) {
    add(kMaxLines,
        absl::StrCat("has ", lines.size(), " lines: past ", kMaxLines, " a file is two files"));
  }
  const std::string component = ComponentOf(path);
  if (component != "tests" && Arrows().count(component) == 0) {
    add(0, "belongs to no known component: say in tests/tree/rules.h what it may include");
    return broken;
  }
  for (size_t i = 0; i < lines.size(); ++i) {
    add(i, CheckInclude(path, lines[i]));
    add(i, CheckCode(path, lines[i]));
  }
  return broken;
}

}  // namespace conadv::tree

#endif  // CONADV_TESTS_TREE_RULES_H_
