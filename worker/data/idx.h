// SPDX-License-Identifier: Apache-2.0
// The IDX files of the MNIST family (http://yann.lecun.com/exdb/mnist, "the IDX file format"),
// plain or gzipped.
#ifndef CONADV_WORKER_DATA_IDX_H_
#define CONADV_WORKER_DATA_IDX_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "worker/data/dataset.h"
#include "worker/data/memory_dataset.h"

namespace conadv {

// A file as it lies on the disk: gzipped if its name ends in ".gz", or if
// it begins as gzip does.
struct StoredFile {
  std::string path;  // for messages
  std::string bytes;
};

// The first `limit` examples of two files, all if it is 0. Images are [n][height][width], or
// [n][channels][height][width]. INVALID_ARGUMENT names the file and what
// is wrong with it: magic number, truncated, too long, images and labels of different number, no
// examples, a broken gzip stream. Never allocates much more than the files can hold, whatever their
// headers say.
absl::StatusOr<ExampleArrays> DecodeIdx(StoredFile labels, StoredFile images, Split split,
                                        uint64_t limit);

// DecodeIdx of `directory`/{train,t10k}-labels-idx1-ubyte[.gz] and -images-idx3-ubyte[.gz],
// or -images-idx4-ubyte[.gz] where images have channels. NOT_FOUND lists what was looked for.
absl::StatusOr<ExampleArrays> ReadIdx(const std::string& directory, Split split, uint64_t limit);

// The same as a data set.
absl::StatusOr<std::unique_ptr<Dataset>> OpenIdx(const std::string& directory, Split split,
                                                 uint64_t limit);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_IDX_H_
