// SPDX-License-Identifier: Apache-2.0
#include "cli/run/process_table.h"

#include <algorithm>

#include "cli/run/deployment.h"

namespace conadv {

void ProcessTable::OnStart(const ProcessSpec& spec, absl::Time now) {
  Process& process = processes_[spec.name];
  process = Process{spec, /*runs=*/true, now, std::nullopt, false, false, process.lost, ""};
}

void ProcessTable::OnExit(const std::string& process, const std::string& last_words) {
  at(process).runs = false;
  at(process).last_words = last_words;
}

bool ProcessTable::Runs(const std::string& process) const {
  const auto found = processes_.find(process);
  return found != processes_.end() && found->second.runs;
}

std::vector<std::string> ProcessTable::running() const {
  std::vector<std::string> names;
  for (const auto& [name, process] : processes_) {
    if (process.runs) names.push_back(name);
  }
  return names;
}

std::vector<std::string> ProcessTable::running_servers() const {
  std::vector<std::string> names;
  for (const std::string& name : running()) {
    if (RoleOf(name) == ProcessRole::kServer) names.push_back(name);
  }
  return names;
}

std::vector<std::string> ProcessTable::running_others() const {
  std::vector<std::string> names;
  for (const std::string& name : running()) {
    if (RoleOf(name) != ProcessRole::kServer) names.push_back(name);
  }
  return names;
}

bool ProcessTable::AnyNowOrLater(ProcessRole role) const {
  return std::any_of(processes_.begin(), processes_.end(), [role](const auto& entry) {
    return RoleOf(entry.first) == role &&
           (entry.second.runs || entry.second.restart_at.has_value());
  });
}

std::vector<ProcessSpec> ProcessTable::TakeDueRestarts(absl::Time now) {
  std::vector<ProcessSpec> due;
  for (auto& [name, process] : processes_) {
    if (!process.restart_at.has_value() || *process.restart_at > now) continue;
    process.restart_at.reset();
    due.push_back(process.spec);
  }
  return due;
}

void ProcessTable::RestartThoseWhoLeft(absl::Time now) {
  for (auto& [name, process] : processes_) {
    if (process.left) process.restart_at = now;
    process.left = false;
  }
}

absl::Time ProcessTable::next_restart() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [name, process] : processes_) {
    next = std::min(next, process.restart_at.value_or(next));
  }
  return next;
}

}  // namespace conadv
