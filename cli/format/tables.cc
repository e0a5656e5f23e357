// SPDX-License-Identifier: Apache-2.0
#include "cli/format/tables.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace conadv {
namespace {

bool LooksLikeNumber(absl::string_view cell) {
  return cell.empty() || cell == "-" || absl::ascii_isdigit(static_cast<unsigned char>(cell[0])) ||
         (cell.size() > 1 && cell[0] == '-' &&
          absl::ascii_isdigit(static_cast<unsigned char>(cell[1])));
}

void AppendCell(absl::string_view cell, size_t width, bool right, std::string* line) {
  const std::string padding(width - std::min(width, DisplayWidth(cell)), ' ');
  if (right) {
    absl::StrAppend(line, padding, cell);
  } else {
    absl::StrAppend(line, cell, padding);
  }
}

void AppendTrimmed(std::string line, std::string* text) {
  absl::StripTrailingAsciiWhitespace(&line);
  absl::StrAppend(text, line, "\n");
}

}  // namespace

std::string FormatTable(const std::vector<std::string>& headers,
                        const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  std::vector<bool> right;
  const auto cell = [](const std::vector<std::string>& row, size_t column) {
    return column < row.size() ? absl::string_view(row[column]) : absl::string_view();
  };
  for (size_t column = 0; column < headers.size(); ++column) {
    widths.push_back(DisplayWidth(headers[column]));
    right.push_back(!rows.empty());
    for (const std::vector<std::string>& row : rows) {
      widths[column] = std::max(widths[column], DisplayWidth(cell(row, column)));
      right[column] = right[column] && LooksLikeNumber(cell(row, column));
    }
  }
  std::string text;
  const auto append = [&](const std::vector<std::string>& row) {
    std::string line;
    for (size_t column = 0; column < headers.size(); ++column) {
      if (column > 0) line += "  ";
      AppendCell(cell(row, column), widths[column], right[column], &line);
    }
    AppendTrimmed(std::move(line), &text);
  };
  append(headers);
  for (const std::vector<std::string>& row : rows) append(row);
  return text;
}

std::string FormatPairs(const std::vector<std::pair<std::string, std::string>>& pairs) {
  size_t width = 0;
  for (const auto& [key, value] : pairs) width = std::max(width, DisplayWidth(key));
  std::string text;
  for (const auto& [key, value] : pairs) {
    std::string line;
    AppendCell(key, width, false, &line);
    AppendTrimmed(absl::StrCat(line, "  ", value), &text);
  }
  return text;
}

std::string Bar(double share, size_t width) {
  if (!(share > 0)) return "";
  const double marks = std::round(std::min(share, 1.0) * static_cast<double>(width));
  return std::string(std::max<size_t>(1, static_cast<size_t>(marks)), '#');
}

std::string FormatBytes(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // What would be printed as 1024.0 is 1.0 of the next unit.
  while (value >= 1023.95 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string FormatElapsed(absl::Duration elapsed) {
  const int64_t seconds = std::max<int64_t>(0, absl::ToInt64Seconds(elapsed));
  if (seconds < 3600) return absl::StrFormat("%d:%02d", seconds / 60, seconds % 60);
  return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string FormatMicros(uint64_t micros) {
  if (micros < 1000) return absl::StrCat(micros, " us");
  if (micros < 1'000'000) return absl::StrFormat("%.1f ms", static_cast<double>(micros) / 1e3);
  return absl::StrFormat("%.2f s", static_cast<double>(micros) / 1e6);
}

size_t DisplayWidth(absl::string_view text) {
  // Bytes that begin a UTF-8 sequence.
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

std::string CrcText(uint32_t crc) { return absl::StrFormat("%08x", crc); }

}  // namespace conadv
