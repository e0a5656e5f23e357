// SPDX-License-Identifier: Apache-2.0
// The real file system, until so many changes have been made to it: then every other one fails, as
// if the process had died. One thread.
#ifndef CONADV_TESTS_SUPPORT_FAULT_FILE_SYSTEM_H_
#define CONADV_TESTS_SUPPORT_FAULT_FILE_SYSTEM_H_

#include <string>
#include <vector>

#include "common/os/file.h"

namespace conadv {

class FaultFileSystem final : public FileSystem {
 public:
  explicit FaultFileSystem(int changes) : changes_left_(changes) {}

  absl::StatusOr<std::string> Read(const std::string& path) const override {
    return real_.Read(path);
  }
  absl::StatusOr<uint64_t> Size(const std::string& path) const override { return real_.Size(path); }
  absl::Status WritePieces(const std::string& path,
                           const std::vector<absl::string_view>& pieces) const override {
    return Dead() ? Fault() : real_.WritePieces(path, pieces);
  }
  absl::Status WriteFrom(const std::string& path, uint64_t offset,
                         absl::string_view bytes) const override {
    return Dead() ? Fault() : real_.WriteFrom(path, offset, bytes);
  }
  absl::Status MakeDirectories(const std::string& path) const override {
    return Dead() ? Fault() : real_.MakeDirectories(path);
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) const override {
    return real_.List(path);
  }
  absl::Status Remove(const std::string& path) const override {
    return Dead() ? Fault() : real_.Remove(path);
  }
  absl::Status RemoveIfEmpty(const std::string& path) const override {
    return Dead() ? Fault() : real_.RemoveIfEmpty(path);
  }
  absl::Status Rename(const std::string& from, const std::string& to) const override {
    return Dead() ? Fault() : real_.Rename(from, to);
  }
  bool Exists(const std::string& path) const override { return real_.Exists(path); }

 private:
  bool Dead() const { return changes_left_-- <= 0; }
  static absl::Status Fault() { return absl::UnavailableError("the disk is gone"); }

  const FileSystem& real_ = FileSystem::Real();
  mutable int changes_left_;
};

}  // namespace conadv

#endif  // CONADV_TESTS_SUPPORT_FAULT_FILE_SYSTEM_H_
