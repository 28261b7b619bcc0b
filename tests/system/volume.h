// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <sys/mount.h>

namespace system_test {

// A file system of its own for a folder, empty at first; gone with this object.
class Volume {
public:
    explicit Volume(std::filesystem::path folder, std::string size = "1m")
        : folder_(std::move(folder)), options_("size=" + size)
    {
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directory(folder_);
        mount();
    }
    Volume(const Volume&) = delete;
    Volume& operator=(const Volume&) = delete;
    ~Volume() { umount2(folder_.c_str(), MNT_DETACH); }

    void mount() const
    {
        ASSERT_EQ(::mount("volume", folder_.c_str(), "tmpfs", 0, options_.c_str()), 0);
    }
    void unmount() const { ASSERT_EQ(umount(folder_.c_str()), 0); }

private:
    const std::filesystem::path folder_;
    const std::string options_;
};

} // namespace system_test
