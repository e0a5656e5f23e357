// SPDX-License-Identifier: Apache-2.0
// Text for people: aligned tables, bars, sizes, times and crcs. Pure functions.
#ifndef CONADV_CLI_FORMAT_TABLES_H_
#define CONADV_CLI_FORMAT_TABLES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace conadv {

// Columns two spaces apart. A column whose cells are all numbers ("12", "1.5 MiB", "-") is flushed
// right, any other left. A row that is too short is filled up.
std::string FormatTable(const std::vector<std::string>& headers,
                        const std::vector<std::vector<std::string>>& rows);

// "key   value" lines, values in one column.
std::string FormatPairs(const std::vector<std::pair<std::string, std::string>>& pairs);

// Up to `width` marks: all for share 1, at least one for any share above 0.
std::string Bar(double share, size_t width);

std::string FormatBytes(uint64_t bytes);            // "512 B", "1.5 MiB"
std::string FormatElapsed(absl::Duration elapsed);  // "0:07", "12:34", "1:02:03"
std::string FormatMicros(uint64_t micros);          // "870 us", "12.3 ms", "1.25 s"
// As eight hexadecimal digits, which is how crcs are shown everywhere.
std::string CrcText(uint32_t crc);
// Columns that the text takes in a terminal: its code points.
size_t DisplayWidth(absl::string_view text);

}  // namespace conadv

#endif  // CONADV_CLI_FORMAT_TABLES_H_
