// SPDX-License-Identifier: Apache-2.0
// The IDX files of the MNIST family (http://yann.lecun.com/exdb/mnist, "the IDX file format"),
// plain or gzipped.
#ifndef CONADV_WORKER_DATA_IDX_H_
#define CONADV_WORKER_DATA_IDX_H_

#include <string>

#include "absl/status/statusor.h"
#include "worker/data/dataset.h"

namespace conadv {

enum class Split { kTrain, kTest };

// Reads `directory`/{train,t10k}-images-idx3-ubyte[.gz] and -labels-idx1-ubyte[.gz], the first
// `limit` examples if it is not 0. NOT_FOUND lists what was looked for; INVALID_ARGUMENT names the
// file and what is wrong with it: magic number, truncated, too long, images and labels of different
// number, no examples, a broken gzip stream. Never allocates much more than the files can hold,
// whatever their headers say.
absl::StatusOr<Dataset> ReadIdx(const std::string& directory, Split split, uint64_t limit);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_IDX_H_
