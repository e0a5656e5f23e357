// SPDX-License-Identifier: Apache-2.0
#include "tests/support/children.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace conadv {

pid_t FindChild(pid_t parent, const std::string& word) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream stat(entry.path() / "stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    // "pid (name) state ppid ...": the name may hold anything, so look behind its end.
    const size_t end = text.rfind(')');
    if (end == std::string::npos) continue;
    std::istringstream rest(text.substr(end + 1));
    std::string state;
    pid_t owner = 0;
    rest >> state >> owner;
    if (owner != parent || state == "Z") continue;
    std::ifstream command(entry.path() / "cmdline");
    const std::string line((std::istreambuf_iterator<char>(command)), {});
    if (line.find(word) != std::string::npos) return std::stoi(name);
  }
  return 0;
}

pid_t FindThread(pid_t process, const std::string& name) {
  std::error_code ignored;
  const std::string tasks = "/proc/" + std::to_string(process) + "/task";
  for (const auto& entry : std::filesystem::directory_iterator(tasks, ignored)) {
    std::ifstream file(entry.path() / "comm");
    std::string comm;
    if (std::getline(file, comm) && comm == name) return std::stoi(entry.path().filename());
  }
  return 0;
}

}  // namespace conadv
