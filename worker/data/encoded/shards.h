// SPDX-License-Identifier: Apache-2.0
// Tar shards in WebDataset's layout: PATH/train-*.tar, and PATH/test-*.tar or PATH/val-*.tar.
#ifndef CONADV_WORKER_DATA_ENCODED_SHARDS_H_
#define CONADV_WORKER_DATA_ENCODED_SHARDS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/data/dataset.h"
#include "worker/data/encoded/encoded_examples.h"

namespace conadv {

// The first `limit` examples of a split, all if it is 0: of the shards by the bytes of their names,
// and in each as they lie. Reads headers and the .cls members. `names` are the classes', from
// PATH/classes.txt; without them there are as many as the largest label says, and a training set
// has each.
// NOT_FOUND says which shards there should be; INVALID_ARGUMENT names the shard and what is wrong:
// both test and val shards, what ReadTarIndex() and PairMembers() refuse, a label of no class.
absl::StatusOr<std::unique_ptr<EncodedExamples>> OpenShards(const std::string& path, Split split,
                                                            uint64_t limit,
                                                            std::vector<std::string> names);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_ENCODED_SHARDS_H_
