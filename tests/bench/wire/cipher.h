// SPDX-License-Identifier: Apache-2.0
// TLS's cipher without TLS: what encrypting alone costs. One thread.
#ifndef CONADV_TESTS_BENCH_WIRE_CIPHER_H_
#define CONADV_TESTS_BENCH_WIRE_CIPHER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

struct evp_cipher_ctx_st;

namespace conadv::bench {

class Cipher {
 public:
  explicit Cipher(size_t bytes);

  // Seconds to encrypt that many bytes with AES-256-GCM, in TLS's records of 16 KiB.
  double Seal();

 private:
  const std::shared_ptr<evp_cipher_ctx_st> context_;
  const std::vector<uint8_t> bytes_;
};

}  // namespace conadv::bench

#endif  // CONADV_TESTS_BENCH_WIRE_CIPHER_H_
