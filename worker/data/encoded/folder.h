// SPDX-License-Identifier: Apache-2.0
// Image folders in the layout of torchvision's ImageFolder: PATH/train/CLASS/**/*.{jpg,jpeg,png},
// and PATH/test or PATH/val the same.
#ifndef CONADV_WORKER_DATA_ENCODED_FOLDER_H_
#define CONADV_WORKER_DATA_ENCODED_FOLDER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/data/dataset.h"
#include "worker/data/encoded/encoded_examples.h"

namespace conadv {

struct FileOfClass {
  uint32_t label = 0;
  uint64_t file = 0;  // among those of its class
};

// The first `limit` examples, all if it is 0, where class c has counts[c] files: the first file of
// each class, then the second of each that has two, and so on. So the first examples are of all
// classes, however few are taken.
std::vector<FileOfClass> RoundTheClasses(const std::vector<uint64_t>& counts, uint64_t limit);

// The first `limit` examples of a split, all if it is 0. Classes are train's folders, and files
// those below them, each sorted by the bytes of their names. Lists, and opens no file. NOT_FOUND
// says which folders there should be; INVALID_ARGUMENT: a test split with another class, or twice;
// a class or a split without images; a kind of image that is not read.
absl::StatusOr<std::unique_ptr<EncodedExamples>> OpenFolder(const std::string& path, Split split,
                                                            uint64_t limit);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_ENCODED_FOLDER_H_
