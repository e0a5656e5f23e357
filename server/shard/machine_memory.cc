// SPDX-License-Identifier: Apache-2.0
#include "server/shard/machine_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace conadv {
namespace {

// Version 1 says "no limit" as the largest multiple of a page.
constexpr uint64_t kNoLimit = uint64_t{1} << 62;

struct Hierarchy {
  std::string root;   // the group that is mounted
  std::string mount;  // where
};

// Mount points have blanks and backslashes as \040 and \134.
std::string Unescape(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    uint32_t code = 0;
    bool octal = text[i] == '\\' && i + 3 < text.size();
    for (size_t j = 1; octal && j <= 3; ++j) {
      octal = text[i + j] >= '0' && text[i + j] <= '7';
      code = 8 * code + static_cast<uint32_t>(text[i + j] - '0');
    }
    out += octal ? static_cast<char>(code) : text[i];
    if (octal) i += 3;
  }
  return out;
}

// "31 23 0:28 ROOT MOUNT options… - TYPE source OPTIONS"
std::vector<Hierarchy> Mounted(absl::string_view mountinfo, bool unified) {
  std::vector<Hierarchy> found;
  for (const absl::string_view line : absl::StrSplit(mountinfo, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> halves = absl::StrSplit(line, absl::MaxSplits(" - ", 1));
    if (halves.size() != 2) continue;
    const std::vector<absl::string_view> mount = absl::StrSplit(halves[0], ' ');
    const std::vector<absl::string_view> type = absl::StrSplit(halves[1], ' ');
    if (mount.size() < 5 || type.size() < 3) continue;
    const std::vector<absl::string_view> options = absl::StrSplit(type[2], ',');
    const bool memory = std::find(options.begin(), options.end(), "memory") != options.end();
    if (unified ? type[0] == "cgroup2" : type[0] == "cgroup" && memory) {
      found.push_back({Unescape(mount[3]), Unescape(mount[4])});
    }
  }
  return found;
}

// `path` as seen from the mount: without what lies above its root.
std::string Below(const Hierarchy& mounted, absl::string_view path) {
  if (mounted.root != "/" && absl::ConsumePrefix(&path, mounted.root) &&
      (path.empty() || path[0] == '/')) {
    return std::string(path);
  }
  // Another namespace's: only what is mounted can be known.
  if (mounted.root != "/" || absl::StartsWith(path, "/..")) return "";
  return path == "/" ? "" : std::string(path);
}

}  // namespace

std::vector<std::string> MemoryLimitFiles(absl::string_view cgroup, absl::string_view mountinfo) {
  std::vector<std::string> files;
  for (const absl::string_view line : absl::StrSplit(cgroup, '\n', absl::SkipEmpty())) {
    // "0::/path" of version 2, "4:memory:/path" of version 1.
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    const bool unified = parts[0] == "0" && parts[1].empty();
    const std::vector<absl::string_view> controllers = absl::StrSplit(parts[1], ',');
    if (!unified &&
        std::find(controllers.begin(), controllers.end(), "memory") == controllers.end()) {
      continue;
    }
    const char* const name = unified ? "/memory.max" : "/memory.limit_in_bytes";
    for (const Hierarchy& mounted : Mounted(mountinfo, unified)) {
      std::string path = Below(mounted, parts[2]);
      while (true) {
        files.push_back(absl::StrCat(mounted.mount, path, name));
        if (path.empty()) break;
        path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
      }
    }
  }
  return files;
}

std::optional<uint64_t> ParseMemoryLimit(absl::string_view text) {
  uint64_t bytes = 0;
  if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &bytes) || bytes >= kNoLimit) {
    return std::nullopt;
  }
  return bytes;
}

MachineMemory LeastMemory(const FileSystem& files, const std::string& proc, MachineMemory known) {
  const std::string cgroup = files.Read(proc + "/cgroup").value_or("");
  const std::string mountinfo = files.Read(proc + "/mountinfo").value_or("");
  for (const std::string& file : MemoryLimitFiles(cgroup, mountinfo)) {
    const std::optional<uint64_t> bytes = ParseMemoryLimit(files.Read(file).value_or(""));
    if (bytes.has_value() && *bytes < known.bytes) {
      known = {*bytes, absl::StrCat("its container's limit (", file, ") is")};
    }
  }
  return known;
}

MachineMemory ReadMachineMemory(const FileSystem& files) {
  MachineMemory known{static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                          static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE)),
                      "this machine has"};
  struct rlimit space {};
  if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur < known.bytes) {
    known = {space.rlim_cur, "its address space's limit (ulimit -v) is"};
  }
  return LeastMemory(files, "/proc/self", std::move(known));
}

absl::Status CheckFits(const std::string& what, double bytes, const MachineMemory& machine) {
  const auto there = static_cast<double>(machine.bytes);
  if (bytes <= there) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrFormat("%s may take %.1f GiB in all, but %s %.1f GiB; use more shards or a lower "
                      "server.retain",
                      what, bytes / (1 << 30), machine.whose, there / (1 << 30)));
}

}  // namespace conadv
