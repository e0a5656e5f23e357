// SPDX-License-Identifier: Apache-2.0
// The binary versions of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html,
// "Dataset layout", "Binary version").
#ifndef CONADV_WORKER_DATA_CIFAR_H_
#define CONADV_WORKER_DATA_CIFAR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/data/dataset.h"
#include "worker/data/memory_dataset.h"

namespace conadv {

// With 100 classes each record has a label of 20 coarse ones before its own, which is not used.
enum class Cifar { k10, k100 };

struct CifarFile {
  std::string path;  // for messages
  std::string bytes;
};

// The first `limit` examples of the files, one after the other; all if it is 0. INVALID_ARGUMENT
// names the file and what is wrong with it: not whole records, no records, a label of no class.
absl::StatusOr<ExampleArrays> DecodeCifar(const std::vector<CifarFile>& files, Cifar kind,
                                          uint64_t limit);

// Of `directory`/data_batch_{1..5}.bin and test_batch.bin, or train.bin and test.bin. Classes are
// called what batches.meta.txt or fine_label_names.txt says, if it is there. NOT_FOUND says what
// was looked for.
absl::StatusOr<std::unique_ptr<Dataset>> OpenCifar(const std::string& directory, Cifar kind,
                                                   Split split, uint64_t limit);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_CIFAR_H_
