// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <unistd.h>

namespace ebpfd {

// A directory of its own that is removed with all that is in it.
class TempDir {
public:
    TempDir()
    {
        std::string name = testing::TempDir() + "/ebpfd-source-XXXXXX";
        EXPECT_NE(mkdtemp(name.data()), nullptr);
        path_ = std::filesystem::canonical(name);
        std::filesystem::permissions(path_, std::filesystem::perms(0755));
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir() { std::filesystem::remove_all(path_); }

    std::string path() const { return path_; }
    std::string operator/(std::string_view name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

// In place: opened, written, closed.
inline void write_file(const std::string& path, std::string_view text)
{
    std::ofstream(path, std::ios::binary) << text;
}

// By a name that nobody reads, renamed into place.
inline void replace_file(const std::string& path, std::string_view text)
{
    write_file(path + ".tmp", text);
    std::filesystem::rename(path + ".tmp", path);
}

// Without root's power over permissions while it exists.
class AsNobody {
public:
    AsNobody() : user_(geteuid()) { EXPECT_EQ(user_ == 0 ? seteuid(65534) : 0, 0); }
    AsNobody(const AsNobody&) = delete;
    AsNobody& operator=(const AsNobody&) = delete;
    ~AsNobody() { EXPECT_EQ(seteuid(user_), 0); }

private:
    uid_t user_;
};

} // namespace ebpfd
