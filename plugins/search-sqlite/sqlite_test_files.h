// A new directory for a test's files, removed at the end, and the kind that the tests share.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "a4c/kind.h"

namespace a4c::search_sqlite {

class TestDirectory {
 public:
  TestDirectory() {
    std::string name = ::testing::TempDir() + "a4c-search-sqlite-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  std::string File(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline Kind PhotoKind() {
  return Kind{.name = "photo",
              .fields = {{.name = "album", .type = FieldType::kKeyword, .searchable = true},
                         {.name = "title", .type = FieldType::kText, .searchable = true},
                         {.name = "views", .type = FieldType::kLong, .searchable = true},
                         {.name = "rating", .type = FieldType::kDouble, .searchable = true},
                         {.name = "shown", .type = FieldType::kBool, .searchable = true},
                         {.name = "taken_at", .type = FieldType::kTime, .searchable = true},
                         {.name = "labels", .type = FieldType::kMap, .searchable = true}}};
}

}  // namespace a4c::search_sqlite
