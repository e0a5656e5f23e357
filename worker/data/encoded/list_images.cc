// SPDX-License-Identifier: Apache-2.0
#include "worker/data/encoded/list_images.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace conadv {
namespace {

// A link to a folder above it would go on for ever.
constexpr int kMostLevels = 16;

struct Entry {
  std::string name;
  bool folder = false;
};

absl::StatusOr<std::vector<Entry>> Entries(const std::string& directory) {
  std::vector<Entry> entries;
  std::error_code error;
  std::filesystem::directory_iterator at(directory, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    // A link that leads nowhere is no folder; as an image it is told of when it is read.
    std::error_code ignored;
    entries.push_back({at->path().filename().string(), at->is_directory(ignored)});
  }
  if (error) return FileError(error.value(), "list", Printable(directory));
  return entries;
}

absl::Status Descend(const std::string& root, const std::string& below, int levels,
                     std::vector<std::string>* found) {
  const std::string directory = absl::StrCat(root, "/", below);
  if (levels == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(Printable(directory), ": folders lie more than ", kMostLevels,
                     " deep below a class; is a link among them a loop? Remove it"));
  }
  CONADV_ASSIGN_OR_RETURN(const std::vector<Entry> entries, Entries(directory));
  for (const Entry& entry : entries) {
    std::string path = absl::StrCat(below, entry.name);
    if (entry.folder) {
      CONADV_RETURN_IF_ERROR(Descend(root, path + "/", levels - 1, found));
      continue;
    }
    switch (KindOf(entry.name)) {
      case FileKind::kOther: break;
      case FileKind::kImage: found->push_back(std::move(path)); break;
      case FileKind::kUnread:
        return absl::InvalidArgumentError(absl::StrCat(
            Printable(absl::StrCat(directory, entry.name)),
            ": only JPEG and PNG files are read; convert it, or take it out of the folder"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

FileKind KindOf(absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(name);
  for (const char* const ending : {".jpg", ".jpeg", ".png"}) {
    if (absl::EndsWith(lower, ending)) return FileKind::kImage;
  }
  for (const char* const ending : {".bmp", ".gif", ".pgm", ".ppm", ".tif", ".tiff", ".webp"}) {
    if (absl::EndsWith(lower, ending)) return FileKind::kUnread;
  }
  return FileKind::kOther;
}

absl::StatusOr<std::vector<std::string>> ListFolders(const std::string& directory) {
  CONADV_ASSIGN_OR_RETURN(std::vector<Entry> entries, Entries(directory));
  std::vector<std::string> folders;
  for (Entry& entry : entries) {
    if (entry.folder) folders.push_back(std::move(entry.name));
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

absl::StatusOr<std::vector<std::string>> ListImages(const std::string& directory) {
  std::vector<std::string> found;
  CONADV_RETURN_IF_ERROR(Descend(directory, "", kMostLevels, &found));
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace conadv
