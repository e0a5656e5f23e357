// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/simulate/process_figures.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/os/file.h"
#include "tests/bench/simulate/cluster.h"

namespace conadv::bench {
namespace {

std::string Read(pid_t process, const char* name) {
  return OrDie(FileSystem::Real().Read(absl::StrCat("/proc/", process, "/", name)));
}

uint64_t Number(const std::string& text) {
  uint64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

}  // namespace

double CoreSeconds(pid_t process) {
  const std::string text = Read(process, "stat");
  // The program's name, which may have blanks, is between parentheses; the state comes next.
  const std::vector<std::string> fields = absl::StrSplit(text.substr(text.rfind(')') + 2), ' ');
  return static_cast<double>(Number(fields[11]) + Number(fields[12])) /
         static_cast<double>(sysconf(_SC_CLK_TCK));
}

uint64_t MostResidentBytes(pid_t process) {
  for (const absl::string_view line : absl::StrSplit(Read(process, "status"), '\n')) {
    absl::string_view rest = line;
    if (!absl::ConsumePrefix(&rest, "VmHWM:")) continue;
    absl::ConsumeSuffix(&rest, " kB");
    return Number(std::string(rest)) << 10;
  }
  return 0;
}

}  // namespace conadv::bench
