// SPDX-License-Identifier: Apache-2.0
// Holds everyone back until it opens. Thread-safe.
#ifndef CONADV_TESTS_SUPPORT_GATE_H_
#define CONADV_TESTS_SUPPORT_GATE_H_

#include "common/thread/mutex.h"

namespace conadv {

class Gate {
 public:
  void Open() {
    MutexLock lock(&mutex_);
    open_ = true;
    opened_.NotifyAll();
  }
  void Wait() {
    MutexLock lock(&mutex_);
    while (!open_) opened_.Wait(&mutex_);
  }

 private:
  Mutex mutex_;
  CondVar opened_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace conadv

#endif  // CONADV_TESTS_SUPPORT_GATE_H_
