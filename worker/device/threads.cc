// SPDX-License-Identifier: Apache-2.0
#include "worker/device/threads.h"

#include <dlfcn.h>
#include <torch/torch.h>

#include <mutex>

namespace conadv {
namespace {

void SetAll() {
  // Looked up, not linked: which BLAS there is decides the machine it runs on.
  for (const char* name :
       {"openblas_set_num_threads", "MKL_Set_Num_Threads", "bli_thread_set_num_threads"}) {
    void* symbol = dlsym(RTLD_DEFAULT, name);
    if (symbol == nullptr) continue;
    // BLIS takes 64 bits; in a register one is the same.
    reinterpret_cast<void (*)(int)>(symbol)(1);
  }
  at::set_num_threads(1);
  at::set_num_interop_threads(1);
}

}  // namespace

void UseOneBlasThread() {
  // LibTorch refuses to be told twice.
  static std::once_flag once;
  std::call_once(once, SetAll);
}

void UseOneThreadHere() { at::set_num_threads(1); }

}  // namespace conadv
