// SPDX-License-Identifier: Apache-2.0
// The real file system with room for `room` more bytes in a write. One thread.
#ifndef CONADV_TESTS_SUPPORT_SMALL_DISK_H_
#define CONADV_TESTS_SUPPORT_SMALL_DISK_H_

#include <cstddef>
#include <string>
#include <vector>

#include "common/os/file.h"

namespace conadv {

class SmallDisk final : public FileSystem {
 public:
  absl::StatusOr<std::string> Read(const std::string& path) const override {
    return real_.Read(path);
  }
  absl::StatusOr<uint64_t> Size(const std::string& path) const override { return real_.Size(path); }
  absl::Status WritePieces(const std::string& path,
                           const std::vector<absl::string_view>& pieces) const override {
    return room < 1000 ? Full() : real_.WritePieces(path, pieces);
  }
  // Leaves what fits, as a disk does whose file cannot be cut again.
  absl::Status WriteFrom(const std::string& path, uint64_t offset,
                         absl::string_view bytes) const override {
    const absl::Status status = real_.WriteFrom(path, offset, bytes.substr(0, room));
    return !status.ok() || bytes.size() <= room ? status : Full();
  }
  absl::Status MakeDirectories(const std::string& path) const override {
    return real_.MakeDirectories(path);
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) const override {
    return real_.List(path);
  }
  absl::Status Remove(const std::string& path) const override { return real_.Remove(path); }
  absl::Status RemoveIfEmpty(const std::string& path) const override {
    return real_.RemoveIfEmpty(path);
  }
  absl::Status Rename(const std::string& from, const std::string& to) const override {
    return real_.Rename(from, to);
  }
  bool Exists(const std::string& path) const override { return real_.Exists(path); }

  size_t room = 1 << 20;

 private:
  static absl::Status Full() { return absl::ResourceExhaustedError("no space"); }
  const FileSystem& real_ = FileSystem::Real();
};

}  // namespace conadv

#endif  // CONADV_TESTS_SUPPORT_SMALL_DISK_H_
