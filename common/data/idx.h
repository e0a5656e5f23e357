// SPDX-License-Identifier: Apache-2.0
// The IDX files of the MNIST family (http://yann.lecun.com/exdb/mnist, "the IDX file format"),
// plain or gzipped.
#ifndef CONADV_COMMON_DATA_IDX_H_
#define CONADV_COMMON_DATA_IDX_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/data/dataset.h"

namespace conadv {

enum class Split { kTrain, kTest };

// A file as it lies on the disk: gzipped if its name ends in ".gz", or if
// it begins as gzip does.
struct StoredFile {
  std::string path;  // for messages
  std::string bytes;
};

// The first `limit` examples of two files, all if it is 0. INVALID_ARGUMENT names the file and what
// is wrong with it: magic number, truncated, too long, images and labels of different number, no
// examples, a broken gzip stream. Never allocates much more than the files can hold, whatever their
// headers say.
absl::StatusOr<Dataset> DecodeIdx(StoredFile labels, StoredFile images, Split split,
                                  uint64_t limit);

// DecodeIdx of `directory`/{train,t10k}-labels-idx1-ubyte[.gz] and -images-idx3-ubyte[.gz].
// NOT_FOUND lists what was looked for.
absl::StatusOr<Dataset> ReadIdx(const std::string& directory, Split split, uint64_t limit);

// Whether the splits of one data set fit each other: `test` has `train`'s images' shape, and no
// class that it does not have. INVALID_ARGUMENT names `directory`.
absl::Status CheckSplits(const Dataset& train, const Dataset& test, const std::string& directory);

// Reads both splits, and keeps nothing of them: the error of whatever is wrong with them.
absl::Status CheckIdx(const std::string& directory);

}  // namespace conadv

#endif  // CONADV_COMMON_DATA_IDX_H_
