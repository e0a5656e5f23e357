// SPDX-License-Identifier: Apache-2.0
// What lies in folders. Stateless, thread-safe.
#ifndef CONADV_WORKER_DATA_ENCODED_LIST_IMAGES_H_
#define CONADV_WORKER_DATA_ENCODED_LIST_IMAGES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace conadv {

// What a file's name says of it. kOther is no image; kUnread is one of a kind that is not read.
enum class FileKind { kOther, kImage, kUnread };
FileKind KindOf(absl::string_view name);

// The folders in `directory`, links to folders too, sorted by the bytes of their names. Errors name
// it.
absl::StatusOr<std::vector<std::string>> ListFolders(const std::string& directory);

// The images below `directory`, as paths from there, sorted by their bytes. Follows links.
// INVALID_ARGUMENT names an image of a kind that is not read, or folders too deep to be meant.
absl::StatusOr<std::vector<std::string>> ListImages(const std::string& directory);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_ENCODED_LIST_IMAGES_H_
